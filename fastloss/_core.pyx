# cython: language_level=3, binding=True, freethreading_compatible=True
"""The binding: NumPy arrays in, one call of the C library, NumPy arrays out."""

import operator

import numpy as np

cimport cython
cimport numpy as cnp
from libc.stdint cimport uintptr_t

from fastloss import _validation

cnp.import_array()

cdef extern from "fastloss.h" nogil:
    enum: FL_MAX_DIMS
    ctypedef enum fl_dtype:
        FL_BOOL, FL_INT8, FL_UINT8, FL_INT16, FL_UINT16, FL_INT32, FL_UINT32, FL_INT64, FL_UINT64
        FL_FLOAT16, FL_BFLOAT16, FL_FLOAT32, FL_FLOAT64, FL_LONGDOUBLE
    ctypedef struct fl_domain:
        double low, high
        int open_low, integral, nan_ok
    ctypedef struct fl_array:
        void *data
        fl_dtype dtype
        int swapped, n_dims
        Py_ssize_t shape[64]
        Py_ssize_t strides[64]
    ctypedef enum fl_reduction:
        FL_REDUCE_NONE, FL_REDUCE_SUM, FL_REDUCE_MEAN
    ctypedef enum fl_status:
        FL_OK, FL_BAD_TARGET, FL_BAD_PREDICTION, FL_BAD_WEIGHT, FL_BAD_WEIGHT_SUM, FL_EMPTY
    ctypedef struct fl_pointwise_call:
        int kernel
        const double *parameters
        int float32
        fl_reduction reduction
        int n_threads, want_value
        size_t n
        fl_array target, prediction, weight, value, gradient, hessian
        double total, weight_sum
        size_t bad_index
        double bad_value
    int fl_find_pointwise(const char *name)
    int fl_pointwise_n_parameters(int kernel)
    const fl_domain *fl_pointwise_target_domain(int kernel)
    const fl_domain *fl_pointwise_prediction_domain(int kernel)
    fl_status fl_pointwise(fl_pointwise_call *call)
    fl_status fl_pointwise_check(fl_pointwise_call *call)
    void fl_array_coalesce(fl_array *array)
    const char *const *fl_isa_available()
    const char *fl_isa()
    int fl_isa_select(const char *name)
    int fl_threads()
    void fl_threads_set_default(int n)
    int fl_threads_local()
    void fl_threads_set_local(int n)
    int fl_has_openmp()
    void fl_stream_triad(const float *a, const float *b, float *out, size_t n, int n_threads)

cdef extern from "numpy/arrayobject.h":
    bint PyArray_ISNOTSWAPPED(cnp.ndarray a) nogil

cdef enum:
    NO_DTYPE = -1
    N_BUILTIN_TYPES = 24
    # Below so many elements, giving the interpreter's lock away and taking it back costs more than it frees.
    KEEP_GIL_BELOW = 4096

cdef int code_of_type[N_BUILTIN_TYPES]
cdef int bfloat16_type = -1


cdef void fill_code_of_type():
    cdef int i
    for i in range(N_BUILTIN_TYPES):
        code_of_type[i] = NO_DTYPE
    codes = {
        "bool": FL_BOOL, "int8": FL_INT8, "uint8": FL_UINT8, "int16": FL_INT16, "uint16": FL_UINT16,
        "int32": FL_INT32, "uint32": FL_UINT32, "int64": FL_INT64, "uint64": FL_UINT64, "float16": FL_FLOAT16,
        "float32": FL_FLOAT32, "float64": FL_FLOAT64,
    }
    for char in "?bBhHiIlLqQefd":
        dtype = np.dtype(char)
        code_of_type[dtype.num] = codes[dtype.name]
    code_of_type[np.dtype("g").num] = FL_LONGDOUBLE


fill_code_of_type()


cdef int dtype_code(cnp.ndarray a):
    """The C library's name of an array's dtype, NO_DTYPE for one that holds no real numbers."""
    global bfloat16_type
    cdef int num = cnp.PyArray_TYPE(a)
    if 0 <= num < N_BUILTIN_TYPES:
        return code_of_type[num]
    # bfloat16 is a type that ml_dtypes registers with NumPy while the program runs.
    if num == bfloat16_type or (<object>a).dtype.name == "bfloat16":
        bfloat16_type = num
        return FL_BFLOAT16
    return NO_DTYPE


cdef inline cnp.ndarray as_array(object x, str name):
    if cnp.PyArray_CheckExact(x):
        return <cnp.ndarray>x
    return <cnp.ndarray>_validation.as_array(x, name)


cdef int memory_order(cnp.ndarray a, int *order) except -1:
    """The axes from the longest stride to the shortest, so that blocks run along memory."""
    cdef int n_dims = cnp.PyArray_NDIM(a), i, j, axis
    for i in range(n_dims):
        axis = i
        j = i
        while j > 0 and abs(cnp.PyArray_STRIDE(a, order[j - 1])) < abs(cnp.PyArray_STRIDE(a, axis)):
            order[j] = order[j - 1]
            j -= 1
        order[j] = axis
    return 0


cdef int describe(fl_array *view, cnp.ndarray a, int code, const int *order) except -1:
    """Tell the C library about an array, its axes taken in this order."""
    cdef int n_dims = cnp.PyArray_NDIM(a), d
    view.data = cnp.PyArray_DATA(a)
    view.dtype = <fl_dtype>code
    view.swapped = not PyArray_ISNOTSWAPPED(a)
    view.n_dims = n_dims
    if n_dims == 1:
        view.shape[0] = cnp.PyArray_DIM(a, 0)
        view.strides[0] = cnp.PyArray_STRIDE(a, 0)
        return 0
    for d in range(n_dims):
        view.shape[d] = cnp.PyArray_DIM(a, order[d])
        view.strides[d] = cnp.PyArray_STRIDE(a, order[d])
    fl_array_coalesce(view)
    return 0


cdef int describe_weight(fl_array *view, cnp.ndarray w, cnp.ndarray like, int code, const int *order) except -1:
    """Weights of the predictions' shape, or one for each entry of their first axis."""
    cdef int d
    if same_shape(w, like):
        return describe(view, w, code, order)
    if cnp.PyArray_NDIM(w) != 1 or cnp.PyArray_DIM(w, 0) != cnp.PyArray_DIM(like, 0):
        raise ValueError(
            f"sample_weight has shape {(<object>w).shape}, expected {(<object>like).shape} like y_pred"
            f" or {(<object>like).shape[:1]}"
        )
    view.data = cnp.PyArray_DATA(w)
    view.dtype = <fl_dtype>code
    view.swapped = not PyArray_ISNOTSWAPPED(w)
    view.n_dims = cnp.PyArray_NDIM(like)
    for d in range(view.n_dims):
        view.shape[d] = cnp.PyArray_DIM(like, order[d])
        view.strides[d] = cnp.PyArray_STRIDE(w, 0) if order[d] == 0 else 0
    fl_array_coalesce(view)
    return 0


cdef inline bint same_shape(cnp.ndarray a, cnp.ndarray b):
    cdef int d, n_dims = cnp.PyArray_NDIM(a)
    if n_dims != cnp.PyArray_NDIM(b):
        return False
    for d in range(n_dims):
        if cnp.PyArray_DIM(a, d) != cnp.PyArray_DIM(b, d):
            return False
    return True


cdef inline bint overlaps(cnp.ndarray a, cnp.ndarray b) except -1:
    cdef uintptr_t a0 = <uintptr_t>cnp.PyArray_DATA(a), b0 = <uintptr_t>cnp.PyArray_DATA(b)
    if cnp.PyArray_IS_C_CONTIGUOUS(a) and cnp.PyArray_IS_C_CONTIGUOUS(b):
        return a0 < b0 + <uintptr_t>cnp.PyArray_NBYTES(b) and b0 < a0 + <uintptr_t>cnp.PyArray_NBYTES(a)
    return _validation.overlaps(a, b)


cdef inline bint is_same_view(cnp.ndarray a, cnp.ndarray b):
    cdef int d
    if cnp.PyArray_DATA(a) != cnp.PyArray_DATA(b) or cnp.PyArray_TYPE(a) != cnp.PyArray_TYPE(b):
        return False
    if PyArray_ISNOTSWAPPED(a) != PyArray_ISNOTSWAPPED(b):
        return False
    for d in range(cnp.PyArray_NDIM(a)):
        if cnp.PyArray_STRIDE(a, d) != cnp.PyArray_STRIDE(b, d):
            return False
    return True


cdef str output_name(object out, int i):
    return f"out[{i}]" if isinstance(out, tuple) else "out"


cdef int check_output(object out, int i, object result, cnp.ndarray y_pred) except -2:
    """The dtype code of an array that results may be written to."""
    if not cnp.PyArray_Check(result) or (
        not cnp.PyArray_CheckExact(result) and hasattr(result, "mask")
    ):
        raise TypeError(f"{output_name(out, i)} must be a NumPy array, got {type(result).__name__}")
    cdef cnp.ndarray a = <cnp.ndarray>result
    cdef int code = dtype_code(a)
    if code < FL_FLOAT16 or code > FL_FLOAT64:
        raise TypeError(
            f"{output_name(out, i)} has dtype {result.dtype}, expected a floating-point dtype of at most 64 bits"
        )
    if not same_shape(a, y_pred):
        raise ValueError(
            f"{output_name(out, i)} has shape {result.shape}, expected {(<object>y_pred).shape} like y_pred"
        )
    if not cnp.PyArray_ISWRITEABLE(a):
        raise ValueError(f"{output_name(out, i)} is read-only")
    return code


cdef fl_reduction reduction_code(object reduction) except *:
    if reduction == "mean":
        return FL_REDUCE_MEAN
    if reduction == "sum":
        return FL_REDUCE_SUM
    if reduction == "none":
        return FL_REDUCE_NONE
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


cdef int thread_count(object n_threads) except -1:
    if n_threads is None:
        return fl_threads()
    try:
        n = operator.index(n_threads)
    except TypeError:
        raise TypeError(f"n_threads must be an integer, got {n_threads!r}") from None
    if not 1 <= n <= 4096:
        raise ValueError(f"n_threads must be between 1 and 4096, got {n}")
    return n


cdef class Pointwise:
    """A loss of one prediction and one target at a time, bound to its kernel and parameters."""

    cdef int kernel
    cdef bint differentiable
    cdef double parameters_[8]
    cdef object __weakref__

    def __cinit__(self, *args, **kwargs):
        self.kernel = -1

    def _bind(self, str kernel, tuple parameters=(), bint differentiable=True):
        """Choose the kernel and its parameters, once, while the object is made."""
        cdef int found = fl_find_pointwise(kernel.encode())
        if self.kernel >= 0:
            raise AttributeError("a loss cannot be changed after it is made")
        if found < 0 or fl_pointwise_n_parameters(found) != len(parameters):
            raise ValueError(f"no kernel {kernel!r} of {len(parameters)} parameters")
        for i, parameter in enumerate(parameters):
            self.parameters_[i] = parameter
        self.differentiable = differentiable
        self.kernel = found

    def _domains(self):
        """Return the domains of target and prediction, as tuples (low, high, open_low, integral)."""
        cdef const fl_domain *y = fl_pointwise_target_domain(self.kernel)
        cdef const fl_domain *z = fl_pointwise_prediction_domain(self.kernel)
        return (
            (y.low, y.high, bool(y.open_low), bool(y.integral)),
            (z.low, z.high, bool(z.open_low), bool(z.integral)),
        )

    def __call__(
        self, y_true, y_pred, *, sample_weight=None, reduction="mean", out=None, n_threads=None
    ):
        return evaluate(self, y_true, y_pred, sample_weight, reduction, out, n_threads, True, 0)

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
        return evaluate(self, y_true, y_pred, sample_weight, reduction, out, n_threads, False, 1)

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
        return evaluate(self, y_true, y_pred, sample_weight, reduction, out, n_threads, True, 1)

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
        return evaluate(self, y_true, y_pred, sample_weight, reduction, out, n_threads, False, 2)

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
        return evaluate(self, y_true, y_pred, sample_weight, reduction, out, n_threads, True, 2)


cdef object evaluate(
    Pointwise loss, object y_true, object y_pred, object sample_weight, object reduction, object out,
    object n_threads, bint want_value, int n_derivatives,
):
    cdef fl_pointwise_call call
    cdef fl_status status
    cdef int order[64]
    cdef int code, result_type, n_dims
    cdef cnp.ndarray y, z, w = None
    cdef cnp.dtype result_dtype = None
    cdef bint in_place = False
    if loss.kernel < 0:
        raise TypeError(f"{type(loss).__name__} was never initialised")
    if n_derivatives and not loss.differentiable:
        raise TypeError(f"{type(loss).__name__} is not differentiable: it has no gradient and no Hessian")
    z = as_array(y_pred, "y_pred")
    y = as_array(y_true, "y_true")
    n_dims = cnp.PyArray_NDIM(z)
    if n_dims == 0:
        raise ValueError("y_pred is 0-dimensional, expected at least one dimension")
    if not same_shape(y, z):
        raise ValueError(
            f"y_true and y_pred must have one shape, got {(<object>y).shape} and {(<object>z).shape}"
        )
    if n_dims > 1:
        memory_order(z, order)

    code = real_dtype(z, "y_pred")
    describe(&call.prediction, z, code, order)
    describe(&call.target, y, real_dtype(y, "y_true"), order)
    call.weight.data = NULL
    if sample_weight is not None:
        w = as_array(sample_weight, "sample_weight")
        describe_weight(&call.weight, w, z, real_dtype(w, "sample_weight"), order)

    call.float32 = code == FL_FLOAT32 or code == FL_FLOAT16 or code == FL_BFLOAT16
    result_type = cnp.NPY_FLOAT if code == FL_FLOAT32 else cnp.NPY_FLOAT16 if code == FL_FLOAT16 else cnp.NPY_DOUBLE
    if code == FL_BFLOAT16:
        result_type = -1
        result_dtype = (<object>z).dtype
    call.kernel = loss.kernel
    call.parameters = loss.parameters_
    call.reduction = reduction_code(reduction)
    call.n_threads = thread_count(n_threads)
    call.want_value = want_value
    call.n = <size_t>cnp.PyArray_SIZE(z)
    call.value.data = call.gradient.data = call.hessian.data = NULL

    # The arrays to return, in the order value, gradient, Hessian.
    cdef bint stores_value = want_value and call.reduction == FL_REDUCE_NONE
    cdef int n_outputs = stores_value + n_derivatives, i
    cdef fl_array *views[3]
    cdef object first = None, second = None, third = None
    i = 0
    if stores_value:
        views[0] = &call.value
        i = 1
    if n_derivatives:
        views[i] = &call.gradient
    if n_derivatives == 2:
        views[i + 1] = &call.hessian
    cdef tuple given = () if out is None else out_slots(out, n_outputs)
    for i in range(n_outputs):
        if out is not None and given[i] is not None:
            result = given[i]
            code = check_output(out, i, result, z)
            if is_same_view(<cnp.ndarray>result, z) and not in_place:
                in_place = True
            elif overlaps(<cnp.ndarray>result, z):
                raise ValueError(f"{output_name(out, i)} overlaps y_pred without being the same array")
            if overlaps(<cnp.ndarray>result, y):
                raise ValueError(f"{output_name(out, i)} overlaps y_true")
            if w is not None and overlaps(<cnp.ndarray>result, w):
                raise ValueError(f"{output_name(out, i)} overlaps sample_weight")
            if i > 0 and overlaps(<cnp.ndarray>result, <cnp.ndarray>first):
                raise ValueError(f"{output_name(out, i)} overlaps out[0]")
            if i > 1 and overlaps(<cnp.ndarray>result, <cnp.ndarray>second):
                raise ValueError(f"{output_name(out, i)} overlaps out[1]")
        else:
            if result_type >= 0 and n_dims == 1:
                result = cnp.PyArray_SimpleNew(1, cnp.PyArray_DIMS(z), result_type)
            else:
                descr = result_dtype if result_type < 0 else cnp.PyArray_DescrFromType(result_type)
                result = np.empty_like(z, dtype=descr, order="K", subok=False)
            code = dtype_code(<cnp.ndarray>result)
        if i == 0:
            first = result
        elif i == 1:
            second = result
        else:
            third = result
        describe(views[i], <cnp.ndarray>result, code, order)

    if in_place:
        # An error found on the way would leave y_pred half overwritten.
        with nogil:
            status = fl_pointwise_check(&call)
        if status != FL_OK:
            raise_status(loss, &call, status, y, z, w, order)
    if call.n < KEEP_GIL_BELOW:
        status = fl_pointwise(&call)
    else:
        with nogil:
            status = fl_pointwise(&call)
    if status != FL_OK:
        raise_status(loss, &call, status, y, z, w, order)
    if want_value and not stores_value:
        if n_outputs == 0:
            return call.total
        return (call.total, first) if n_outputs == 1 else (call.total, first, second)
    if n_outputs == 1:
        return first
    return (first, second) if n_outputs == 2 else (first, second, third)


cdef tuple out_slots(object out, int n_outputs):
    if n_outputs == 0:
        raise ValueError("out is given, but a reduced value is a float: there is no array to write")
    if not isinstance(out, tuple):
        if n_outputs > 1:
            raise TypeError(f"out must be a tuple of {n_outputs} arrays, got {type(out).__name__}")
        return (out,)
    if len(out) != n_outputs:
        raise ValueError(f"out must hold {n_outputs} array{'s' if n_outputs > 1 else ''}, got {len(out)}")
    return out


cdef inline int real_dtype(cnp.ndarray a, str name) except -2:
    cdef int code = dtype_code(a)
    if code == NO_DTYPE:
        raise TypeError(f"{name} has dtype {(<object>a).dtype}, expected real numbers")
    return code


cdef raise_status(
    Pointwise loss, fl_pointwise_call *call, fl_status status, object y, object z, object w, const int *order
):
    if status == FL_EMPTY:
        raise ValueError("y_true and y_pred are empty: the mean of no samples is undefined")
    if status == FL_BAD_WEIGHT_SUM:
        raise ValueError(f"sample_weight sums to {call.weight_sum}: the mean is undefined")
    axes = [order[d] for d in range(z.ndim)] if z.ndim > 1 else [0]
    index = _validation.index_in_order(z.shape, axes, call.bad_index)
    if status == FL_BAD_WEIGHT:
        raise ValueError(_validation.bad_weight(w, index))
    targets, predictions = loss._domains()
    if status == FL_BAD_TARGET:
        raise ValueError(_validation.outside_domain(type(loss).__name__, "y_true", y, index, targets))
    raise ValueError(_validation.outside_domain(type(loss).__name__, "y_pred", z, index, predictions))


def isa():
    """Return the name of the instruction-set tier in use."""
    return fl_isa().decode()


def isa_available():
    """Return the names of the tiers that were built and that this machine runs, slowest first."""
    cdef const char *const *names = fl_isa_available()
    cdef list found = []
    while names[0] != NULL:
        found.append(names[0].decode())
        names += 1
    return found


def select_isa(str name):
    """Take a tier by its name; return whether it is available."""
    return bool(fl_isa_select(name.encode()))


def has_openmp():
    """Return whether the library was built with OpenMP."""
    return bool(fl_has_openmp())


def threads():
    """Return how many threads a call of this Python thread may use."""
    return fl_threads()


def set_default_threads(int n):
    """Set the number of threads for Python threads that have no limit of their own."""
    fl_threads_set_default(n)


def local_threads():
    """Return this Python thread's own limit, 0 for none."""
    return fl_threads_local()


def set_local_threads(int n):
    """Set this Python thread's own limit, 0 for none."""
    fl_threads_set_local(n)


@cython.boundscheck(False)
def stream_triad(float[::1] a not None, float[::1] b not None, float[::1] out not None, int n_threads=1):
    """Compute ``out = a + b`` with streaming stores: what memory lets through, for benchmarks."""
    cdef size_t n = <size_t>out.shape[0]
    if a.shape[0] != out.shape[0] or b.shape[0] != out.shape[0]:
        raise ValueError("a, b and out must have one length")
    if n:
        with nogil:
            fl_stream_triad(&a[0], &b[0], &out[0], n, n_threads)
