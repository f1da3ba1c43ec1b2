"""Arrays as the C library sees them: dtypes, axes, overlaps, outputs; and what can end any call."""

from cpython.exc cimport PyErr_CheckSignals

cdef extern from "fastloss.h" nogil:
    enum: FL_MAX_DIMS
    ctypedef enum fl_dtype:
        FL_BOOL, FL_INT8, FL_UINT8, FL_INT16, FL_UINT16, FL_INT32, FL_UINT32, FL_INT64, FL_UINT64
        FL_FLOAT16, FL_BFLOAT16, FL_FLOAT32, FL_FLOAT64, FL_LONGDOUBLE
    ctypedef struct fl_array:
        void *data
        fl_dtype dtype
        int swapped, n_dims
        Py_ssize_t shape[64]
        Py_ssize_t strides[64]
    ctypedef enum fl_reduction:
        FL_REDUCE_NONE, FL_REDUCE_SUM, FL_REDUCE_MEAN
    ctypedef enum fl_status:
        FL_OK, FL_BAD_TARGET, FL_BAD_PREDICTION, FL_BAD_WEIGHT, FL_BAD_WEIGHT_SUM, FL_EMPTY, FL_NO_MEMORY
        FL_INTERRUPTED, FL_TOO_LARGE
    size_t FL_MOST_ELEMENTS
    ctypedef int (*fl_go_on)(void *context) noexcept nogil
    ctypedef enum fl_curvature:
        FL_CURVATURE_EXACT, FL_CURVATURE_ABSOLUTE, FL_CURVATURE_UNIT, FL_CURVATURE_MAJORIZER
        FL_CURVATURE_GAUSS_NEWTON
    void fl_array_coalesce(fl_array *array)

cdef extern from "numpy/arrayobject.h":
    bint PyArray_ISNOTSWAPPED(cnp.ndarray a) nogil

cdef enum:
    NO_DTYPE = -1
    N_BUILTIN_TYPES = 24
    N_CURVATURES = 5
    # Below so many elements, giving the interpreter's lock away and taking it back costs more than it frees.
    KEEP_GIL_BELOW = 4096
    # From so many on, Ctrl-C is looked for on the way.
    WATCHED_FROM = 1 << 16

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
    # Where it is a double to NumPy, it need not be one to the compiler of this module.
    code_of_type[np.dtype("g").num] = FL_FLOAT64 if np.dtype("g").itemsize == sizeof(double) else FL_LONGDOUBLE


fill_code_of_type()


cdef inline int dtype_code(cnp.ndarray a):
    """The C library's name of an array's dtype, NO_DTYPE for one that holds no real numbers."""
    cdef int num = cnp.PyArray_TYPE(a)
    return code_of_type[num] if 0 <= num < N_BUILTIN_TYPES else code_of_registered_type(a, num)


cdef int code_of_registered_type(cnp.ndarray a, int num):
    global bfloat16_type
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
            + (f" or {(<object>like).shape[:1]}" if cnp.PyArray_NDIM(like) > 1 else "")
            + _validation.column_hint("sample_weight", (<object>w).shape, (<object>like).shape[:1])
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


cdef inline bint has_shape(cnp.ndarray a, const cnp.npy_intp *dims, int n_dims):
    cdef int d
    if n_dims != cnp.PyArray_NDIM(a):
        return False
    for d in range(n_dims):
        if cnp.PyArray_DIM(a, d) != dims[d]:
            return False
    return True


cdef inline bint same_shape(cnp.ndarray a, cnp.ndarray b):
    return has_shape(a, cnp.PyArray_DIMS(b), cnp.PyArray_NDIM(b))


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


cdef int check_output(object out, int i, object result, cnp.ndarray y_pred, int n_dims) except -2:
    """The dtype code of an array that results may be written to, of the first n_dims axes of y_pred."""
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
    if not has_shape(a, cnp.PyArray_DIMS(y_pred), n_dims):
        raise ValueError(
            f"{output_name(out, i)} has shape {result.shape}, expected {(<object>y_pred).shape[:n_dims]}"
        )
    if not cnp.PyArray_ISWRITEABLE(a):
        raise ValueError(f"{output_name(out, i)} is read-only")
    return code


cdef object new_output(cnp.ndarray y_pred, int n_dims):
    """An array of the first n_dims axes and the precision of y_pred, in its memory order."""
    cdef int code = dtype_code(y_pred)
    if code == FL_BFLOAT16:
        dtype = (<object>y_pred).dtype
    else:
        dtype = cnp.PyArray_DescrFromType(
            cnp.NPY_FLOAT if code == FL_FLOAT32 else cnp.NPY_FLOAT16 if code == FL_FLOAT16 else cnp.NPY_DOUBLE
        )
    if n_dims < cnp.PyArray_NDIM(y_pred):
        return np.empty((<object>y_pred).shape[:n_dims], dtype=dtype)
    return np.empty_like(y_pred, dtype=dtype, order="K", subok=False)


cdef object output_array(
    object out, int i, cnp.ndarray z, int n_dims, object y, object w, object first, object second,
    bint *in_place, str z_name="y_pred",
):
    """Output number i: the one given, checked, or a new one of the first n_dims axes of the predictions z."""
    cdef int code
    cdef cnp.npy_intp *dims = cnp.PyArray_DIMS(z)
    cdef object given = given_array(out, i)
    if given is None:
        code = dtype_code(z)
        if cnp.PyArray_NDIM(z) == 1 and (code == FL_FLOAT32 or code == FL_FLOAT64):
            return cnp.PyArray_SimpleNew(1, dims, cnp.NPY_FLOAT if code == FL_FLOAT32 else cnp.NPY_DOUBLE)
        return new_output(z, n_dims)
    check_output(out, i, given, z, n_dims)
    if n_dims == cnp.PyArray_NDIM(z) and is_same_view(<cnp.ndarray>given, z) and not in_place[0]:
        in_place[0] = True
    elif overlaps(<cnp.ndarray>given, z):
        raise ValueError(f"{output_name(out, i)} overlaps {z_name} without being the same array")
    if y is not None and overlaps(<cnp.ndarray>given, <cnp.ndarray>y):
        raise ValueError(f"{output_name(out, i)} overlaps y_true")
    if w is not None and overlaps(<cnp.ndarray>given, <cnp.ndarray>w):
        raise ValueError(f"{output_name(out, i)} overlaps sample_weight")
    if i > 0 and overlaps(<cnp.ndarray>given, <cnp.ndarray>first):
        raise ValueError(f"{output_name(out, i)} overlaps out[0]")
    if i > 1 and overlaps(<cnp.ndarray>given, <cnp.ndarray>second):
        raise ValueError(f"{output_name(out, i)} overlaps out[1]")
    return given


cdef int reduction_code(object reduction) except -1:
    if isinstance(reduction, str):
        if reduction == "mean":
            return FL_REDUCE_MEAN
        if reduction == "sum":
            return FL_REDUCE_SUM
        if reduction == "none":
            return FL_REDUCE_NONE
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {_validation.shown(reduction)}")


cdef int thread_count(object n_threads) except -1:
    if n_threads is None:
        return fl_threads()
    try:
        n = operator.index(n_threads)
    except TypeError:
        raise TypeError(f"n_threads must be an integer, got {_validation.shown(n_threads)}") from None
    if not 1 <= n <= 4096:
        raise ValueError(f"n_threads must be between 1 and 4096, got {_validation.shown(n)}")
    return n


cdef int check_slots(object out, int n_outputs) except -1:
    """Whether `out`, where it is given, holds one array for each output."""
    if out is None:
        return 0
    if n_outputs == 0:
        raise ValueError("out is given, but a reduced value is a float: there is no array to write")
    if not isinstance(out, tuple):
        if n_outputs > 1:
            raise TypeError(f"out must be a tuple of {n_outputs} arrays, got {type(out).__name__}")
    elif len(<tuple>out) != n_outputs:
        raise ValueError(f"out must hold {n_outputs} array{'s' if n_outputs > 1 else ''}, got {len(out)}")
    return 0


cdef inline object given_array(object out, int i):
    """The array given for output number i, None where there is none."""
    return (<tuple>out)[i] if isinstance(out, tuple) else out


cdef inline int real_dtype(cnp.ndarray a, str name) except -2:
    cdef int code = dtype_code(a)
    if code == NO_DTYPE:
        raise TypeError(f"{name} has dtype {(<object>a).dtype}, expected real numbers")
    return code


cdef inline object results(object total, int n_outputs, object first, object second, object third):
    """What a verb returns: the reduced value where there is one, then the arrays."""
    if total is None:
        if n_outputs == 1:
            return first
        return (first, second) if n_outputs == 2 else (first, second, third)
    if n_outputs == 0:
        return total
    return (total, first) if n_outputs == 1 else (total, first, second)


cdef int go_on(void *context) noexcept with gil:
    """Whether the user lets a long computation go on; what Ctrl-C raised goes to the list."""
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        (<list>context).append(error)
        return 0
    return 1


cdef inline list watch(fl_go_on *asked, void **context, size_t n):
    """The list that will hold what stops a call of n elements; short ones are not watched."""
    asked[0] = NULL
    if n < WATCHED_FROM:
        return None
    cdef list errors = []
    asked[0] = go_on
    context[0] = <void *>errors
    return errors


cdef raise_general_status(fl_status status, list errors, str name, cnp.ndarray largest):
    """What a call of any loss may end with; `largest` is the argument with most elements."""
    if status == FL_INTERRUPTED:
        raise errors[0]
    if status == FL_NO_MEMORY:
        raise MemoryError(f"no memory for the scratch that {name} of shape {(<object>largest).shape} needs")
    if status == FL_TOO_LARGE:
        raise ValueError(
            f"{name} has shape {(<object>largest).shape}: {(<object>largest).size} elements,"
            f" but a call takes at most {FL_MOST_ELEMENTS}"
        )
