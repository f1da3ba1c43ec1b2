"""The penalties: one parameter alone, through the kernels of the pointwise losses."""


cdef class Penalised:
    """The verbs of a penalty, bound to its kernel and parameters."""

    cdef int kernel
    cdef bint has_float32
    cdef double parameters_[8]

    def __cinit__(self, *args, **kwargs):
        self.kernel = -1

    def _bind(self, str kernel, tuple parameters):
        """Choose the kernel and its parameters, once, while the object is made."""
        if self.kernel >= 0:
            raise AttributeError("a penalty cannot be changed after it is made")
        self.kernel = find_kernel(kernel, parameters, self.parameters_)
        self.has_float32 = fits_float32(self.kernel, self.parameters_)

    cdef object evaluate(
        self, object parameters, object out, object n_threads, bint want_value, bint want_gradient,
        bint want_hessian,
    ):
        cdef fl_pointwise_call call
        cdef fl_status status
        cdef int order[64]
        cdef cnp.ndarray w
        cdef bint in_place = False
        if self.kernel < 0:
            raise TypeError(f"{type(self).__name__} was never initialised")
        w = as_array(parameters, "w")
        cdef int code = real_dtype(w, "w"), n_dims = cnp.PyArray_NDIM(w)
        if n_dims == 0:
            raise ValueError("w is 0-dimensional, expected at least one dimension")
        if n_dims > 1:
            memory_order(w, order)
        describe(&call.prediction, w, code, order)
        call.target = call.prediction
        call.float32 = self.has_float32 and (code == FL_FLOAT32 or code == FL_FLOAT16 or code == FL_BFLOAT16)
        call.kernel = self.kernel
        call.parameters = self.parameters_
        call.reduction = FL_REDUCE_SUM
        call.n_threads = thread_count(n_threads)
        call.want_value = want_value
        call.curvature = FL_CURVATURE_EXACT
        call.n = <size_t>cnp.PyArray_SIZE(w)
        call.weight.data = call.value.data = call.gradient.data = call.hessian.data = NULL

        cdef int n_outputs = want_gradient + want_hessian, i
        cdef object first = None, second = None
        check_slots(out, n_outputs)
        for i in range(n_outputs):
            result = output_array(out, i, w, n_dims, None, None, first, second, &in_place, "w")
            if i == 0:
                first = result
            else:
                second = result
            describe(
                &call.gradient if want_gradient and i == 0 else &call.hessian,
                <cnp.ndarray>result, dtype_code(<cnp.ndarray>result), order,
            )
        cdef list errors = watch(&call.go_on, &call.context, call.n)
        if call.n < KEEP_GIL_BELOW:
            status = fl_pointwise(&call)
        else:
            with nogil:
                status = fl_pointwise(&call)
        # Every parameter and every number of parameters, none included, has a penalty.
        if status != FL_OK:
            raise_general_status(status, errors, "w", w)
        return results(call.total if want_value else None, n_outputs, first, second, None)

    def __call__(self, w, *, n_threads=None):
        return self.evaluate(w, None, n_threads, True, False, False)

    def gradient(self, w, *, out=None, n_threads=None):
        """Compute the gradient of the penalty by the parameters.

        Parameters
        ----------
        w, out, n_threads
            As for :meth:`value_and_gradient`.

        Returns
        -------
        ndarray
            Of the shape and precision of `w`; `out` itself where that is given.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.L1(alpha=0.5).gradient([3.0, 0.0, -4.0])
        array([ 0.5,  0. , -0.5])
        """
        return self.evaluate(w, out, n_threads, False, True, False)

    def hessian(self, w, *, out=None, n_threads=None):
        """Compute the diagonal of the Hessian, which is all of it: no two parameters interact.

        Parameters
        ----------
        w, out, n_threads
            As for :meth:`value_and_gradient`.

        Returns
        -------
        ndarray
            Of the shape and precision of `w`; `out` itself where that is given.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.L2(alpha=0.5).hessian([3.0, 0.0, -4.0])
        array([0.5, 0.5, 0.5])
        """
        return self.evaluate(w, out, n_threads, False, False, True)

    def value_and_gradient(self, w, *, out=None, n_threads=None):
        """Compute the penalty and its gradient in one pass over the parameters.

        Parameters
        ----------
        w : array_like
            The parameters, of any shape but 0-dimensional, any real dtype and any strides.
        out : ndarray, optional
            Where to write the gradient; may be `w` itself, but not overlap it otherwise.
        n_threads : int, optional
            At most so many threads; small arrays are computed on one.

        Returns
        -------
        tuple
            The penalty, a float, and the gradient, an array of the shape and precision of `w`.

        Raises
        ------
        TypeError, ValueError
            If `w` holds no real numbers or is 0-dimensional, or `out` does not fit.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.L2(alpha=0.5).value_and_gradient([3.0, 0.0, -4.0])
        (6.25, array([ 1.5,  0. , -2. ]))
        """
        return self.evaluate(w, out, n_threads, True, True, False)

    def gradient_and_hessian(self, w, *, out=None, n_threads=None):
        """Compute the gradient and the Hessian's diagonal in one pass over the parameters.

        Parameters
        ----------
        w, out, n_threads
            As for :meth:`value_and_gradient`; `out` is a tuple of two arrays.

        Returns
        -------
        tuple of ndarray
            Gradient and Hessian diagonal.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.ElasticNet(alpha=1.0, l1_ratio=0.25).gradient_and_hessian([2.0, -1.0])
        (array([ 1.75, -1.  ]), array([0.75, 0.75]))
        """
        return self.evaluate(w, out, n_threads, False, True, True)

    def value_gradient_and_hessian(self, w, *, out=None, n_threads=None):
        """Compute the penalty, its gradient and the Hessian's diagonal in one pass over the parameters.

        Parameters
        ----------
        w, out, n_threads
            As for :meth:`value_and_gradient`; `out` is a tuple of two arrays.

        Returns
        -------
        tuple
            The penalty, the gradient and the Hessian's diagonal.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.L1(alpha=0.5).value_gradient_and_hessian([3.0, -4.0])
        (3.5, array([ 0.5, -0.5]), array([0., 0.]))
        """
        return self.evaluate(w, out, n_threads, True, True, True)
