"""What can be asked of every loss, whatever its family."""


cdef class Verbs:
    """The verbs of a loss; a family of losses says how they are computed."""

    # With neither value nor derivatives wanted, only the input is checked, and the weights are summed.
    cdef object evaluate(
        self, object y_true, object y_pred, object sample_weight, object reduction, object out,
        object n_threads, bint want_value, int n_derivatives, int curvature=FL_CURVATURE_EXACT,
        bint single=False,
    ):
        raise TypeError(f"{type(self).__name__} is not a loss that can be computed")

    def __call__(
        self, y_true, y_pred, *, sample_weight=None, reduction="mean", out=None, n_threads=None
    ):
        return self.evaluate(y_true, y_pred, sample_weight, reduction, out, n_threads, True, 0)

    def weight_sum(self, y_true, y_pred, *, sample_weight=None, n_threads=None):
        """Check the input, and compute what ``reduction="mean"`` divides by; the loss itself is not computed.

        Parameters
        ----------
        y_true, y_pred, sample_weight, n_threads
            As for the call of the loss.

        Returns
        -------
        float
            The sum of the weights that count: the number of samples where there are no weights; without
            ignored rows and times the weights of the classes, where the loss has these.

        Raises
        ------
        TypeError, ValueError
            As the call of the loss; but weights that sum to 0 give 0.0.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.SquaredError().weight_sum([1.0, 2.0], [1.5, 2.0], sample_weight=[0.5, 2.0])
        2.5
        """
        return self.evaluate(y_true, y_pred, sample_weight, "sum", None, n_threads, False, 0)

    def gradient(self, y_true, y_pred, *, sample_weight=None, reduction="mean", out=None, n_threads=None):
        """Compute the gradient by the predictions of the reduced loss.

        Parameters
        ----------
        y_true, y_pred, sample_weight, reduction, out, n_threads
            As for the call of the loss. With ``reduction="mean"`` the gradient carries the
            ``1 / sum(weights)`` of the mean, otherwise it is ``weight * gradient`` of each sample.

        Returns
        -------
        ndarray
            Of the shape and precision of `y_pred`; `out` itself where that is given.

        Raises
        ------
        TypeError
            If the loss is not differentiable.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.SquaredError().gradient([1.0, 2.0], [1.5, 2.0], reduction="sum")
        array([1., 0.])
        """
        return self.evaluate(y_true, y_pred, sample_weight, reduction, out, n_threads, False, 1)

    def value_and_gradient(
        self, y_true, y_pred, *, sample_weight=None, reduction="mean", out=None, n_threads=None
    ):
        """Compute the loss and its gradient in one pass over the data.

        Parameters
        ----------
        y_true, y_pred, sample_weight, reduction, out, n_threads
            As for the call of the loss. `out` is the array for the gradient; with
            ``reduction="none"`` a tuple of two, for values and gradient.

        Returns
        -------
        tuple
            The value, a float (an array with ``reduction="none"``), and the gradient.

        Raises
        ------
        TypeError
            If the loss is not differentiable.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.SquaredError().value_and_gradient([1.0, 2.0], [1.5, 2.0])
        (0.125, array([0.5, 0. ]))
        """
        return self.evaluate(y_true, y_pred, sample_weight, reduction, out, n_threads, True, 1)

    def gradient_and_hessian(
        self, y_true, y_pred, *, sample_weight=None, reduction="mean", out=None, n_threads=None
    ):
        """Compute the gradient and the diagonal of the Hessian in one pass over the data.

        Parameters
        ----------
        y_true, y_pred, sample_weight, reduction, out, n_threads
            As for the call of the loss. `out` is a tuple of two arrays.

        Returns
        -------
        tuple of ndarray
            Gradient and Hessian diagonal, both of the shape and precision of `y_pred`.

        Raises
        ------
        TypeError
            If the loss is not differentiable.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.Huber().gradient_and_hessian([0.0, 0.0], [0.5, 3.0], reduction="sum")
        (array([0.5, 1. ]), array([1., 0.]))
        """
        return self.evaluate(y_true, y_pred, sample_weight, reduction, out, n_threads, False, 2)

    def value_gradient_and_hessian(
        self, y_true, y_pred, *, sample_weight=None, reduction="mean", out=None, n_threads=None
    ):
        """Compute the loss, its gradient and the diagonal of its Hessian in one pass over the data.

        Parameters
        ----------
        y_true, y_pred, sample_weight, reduction, out, n_threads
            As for the call of the loss. `out` is a tuple of two arrays, for gradient and Hessian; with
            ``reduction="none"`` of three, the first for the values.

        Returns
        -------
        tuple
            The value, the gradient and the Hessian's diagonal.

        Raises
        ------
        TypeError
            If the loss is not differentiable.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.SquaredError().value_gradient_and_hessian([1.0, 2.0], [1.5, 2.0])
        (0.125, array([0.5, 0. ]), array([1., 1.]))
        """
        return self.evaluate(y_true, y_pred, sample_weight, reduction, out, n_threads, True, 2)

    def _gradient_and_curvature(
        self, y_true, y_pred, sample_weight, int curvature, out, n_threads, bint single=False
    ):
        """Compute weighted gradients and curvatures, the code of one that the loss has, without reduction.

        With `single` in float32, whatever the precision of the predictions.
        """
        return self.evaluate(y_true, y_pred, sample_weight, "sum", out, n_threads, False, 2, curvature, single)
