"""The transport distances: samples or histograms on the line, and clouds of points."""

ctypedef int (*sort_function)(void *, cnp.npy_intp, void *) noexcept nogil
ctypedef int (*argsort_function)(void *, cnp.npy_intp *, cnp.npy_intp, void *) noexcept nogil

cdef extern from *:
    """
    /* NumPy's own sorts of float64, vectorised for the machine; they need no lock. */
    static PyArray_ArrFuncs *fl_numpy_functions(void) {
        PyArray_Descr *dtype = PyArray_DescrFromType(NPY_DOUBLE);
        PyArray_ArrFuncs *functions = PyDataType_GetArrFuncs(dtype);
        Py_DECREF(dtype); /* a built-in dtype lives on */
        return functions;
    }
    static PyArray_SortFunc *fl_numpy_sort(void) { return fl_numpy_functions()->sort[NPY_QUICKSORT]; }
    static PyArray_ArgSortFunc *fl_numpy_argsort(void) { return fl_numpy_functions()->argsort[NPY_QUICKSORT]; }
    """
    sort_function fl_numpy_sort()
    argsort_function fl_numpy_argsort()

cdef extern from "fastloss.h" nogil:
    ctypedef enum fl_transport_argument:
        FL_FIRST, FL_SECOND, FL_FIRST_WEIGHT, FL_SECOND_WEIGHT
    fl_status FL_BAD_ENTRY, FL_BAD_MASS, FL_OUT_OF_RANGE
    ctypedef struct fl_wasserstein_call:
        double p
        fl_reduction reduction
        int n_threads
        size_t n_rows, n_u, n_v
        fl_array u, v
        const double *positions
        fl_array u_weight, v_weight, weight
        sort_function sort
        argsort_function argsort
        fl_array value, gradient
        fl_go_on go_on
        void *context
        double total, weight_sum
        fl_transport_argument bad_argument
        size_t bad_row, bad_column
        double bad_sum
    fl_status fl_wasserstein(fl_wasserstein_call *call)
    ctypedef struct fl_sinkhorn_call:
        size_t n, m, dims
        fl_array x, y, x_weight, y_weight
        double reg, tol
        int euclidean, debiased, max_iter, n_threads
        fl_go_on go_on
        void *context
        fl_array gradient
        double value
        int iterations
        double violation
        fl_transport_argument bad_argument
        size_t bad_row, bad_column
        double bad_sum, largest_cost
    fl_status fl_sinkhorn(fl_sinkhorn_call *call)


cdef int describe_in_order(fl_array *view, object array, str name) except -1:
    """An array of one or two axes in C order."""
    cdef int order[2]
    order[0], order[1] = 0, 1
    return describe(view, <cnp.ndarray>array, real_dtype(<cnp.ndarray>array, name), order)


cdef cnp.ndarray weights_like(object weights, cnp.ndarray x, str name, str other):
    """Weights of the shape of x, or one for each entry of its last axis."""
    cdef cnp.ndarray w = as_array(weights, name)
    shape = (<object>x).shape
    if (<object>w).shape == shape:
        return w
    if (<object>w).shape == shape[-1:]:
        return <cnp.ndarray>np.broadcast_to(w, shape)
    wanted = f"{shape} like {other}" + (f" or {shape[-1:]}, the same for each row" if len(shape) > 1 else "")
    raise ValueError(
        f"{name} has shape {(<object>w).shape}, expected {wanted}"
        f"{_validation.column_hint(name, (<object>w).shape, shape[-1:])}"
    )


cdef object checked_output(object out, int i, cnp.ndarray like, int n_dims, tuple inputs):
    """A new array, and the given one that it is to be copied into: itself where that shares nothing."""
    cdef object given = given_array(out, i)
    if given is None:
        result = new_output(like, n_dims)
        return result, result
    check_output(out, i, given, like, n_dims)
    for x in inputs:
        if x is not None and overlaps(<cnp.ndarray>given, <cnp.ndarray>x):
            return np.empty_like(given, subok=False), given
    return given, given


def deliver(result, like, out):
    """Copy a computed array into `out`, or into a new array of the shape and precision of `like`."""
    check_slots(out, 1)
    _, target = checked_output(out, 0, like, like.ndim, ())
    target[...] = result
    return target


def wasserstein(
    u, v, u_weights, v_weights, double p, positions, *, sample_weight, reduction, out, n_threads,
    bint want_value, bint want_gradient,
):
    """Compute the distances of rows of samples or histograms, their gradients by v, or both."""
    cdef fl_wasserstein_call call
    cdef fl_status status
    cdef cnp.ndarray a = as_array(u, "u"), b = as_array(v, "v"), wu = None, wv = None, w = None
    cdef int n_dims = cnp.PyArray_NDIM(b)
    if n_dims not in (1, 2) or cnp.PyArray_NDIM(a) != n_dims or (<object>a).shape[:-1] != (<object>b).shape[:-1]:
        raise ValueError(
            f"u has shape {(<object>a).shape} and v {(<object>b).shape},"
            " expected (m,) and (k,), or rows of samples: (n, m) and (n, k)"
        )
    for name, shape in (("u", (<object>a).shape), ("v", (<object>b).shape)):
        if shape[-1] == 0:
            raise ValueError(f"{name} has shape {shape}: a distance needs at least one point")
        if positions is not None and shape[-1] != positions.size:
            raise ValueError(f"{name} has shape {shape}, expected a mass for each of {positions.size} positions")
    if positions is not None:
        if u_weights is not None or v_weights is not None:
            raise TypeError("histograms on given positions take no u_weights or v_weights: u and v are the masses")
    call.p = p
    call.reduction = <fl_reduction>reduction_code(reduction)
    call.n_threads = thread_count(n_threads)
    call.n_rows = <size_t>cnp.PyArray_DIM(b, 0) if n_dims == 2 else 1
    call.n_u, call.n_v = (<object>a).shape[-1], (<object>b).shape[-1]
    call.positions = NULL
    if positions is not None:
        call.positions = <const double *>cnp.PyArray_DATA(<cnp.ndarray>positions)
    call.sort, call.argsort = fl_numpy_sort(), fl_numpy_argsort()
    call.u_weight.data = call.v_weight.data = call.weight.data = call.value.data = call.gradient.data = NULL
    describe_in_order(&call.u, a, "u")
    describe_in_order(&call.v, b, "v")
    if u_weights is not None:
        wu = weights_like(u_weights, a, "u_weights", "u")
        describe_in_order(&call.u_weight, wu, "u_weights")
    if v_weights is not None:
        wv = weights_like(v_weights, b, "v_weights", "v")
        describe_in_order(&call.v_weight, wv, "v_weights")
    if sample_weight is not None:
        w = as_array(sample_weight, "sample_weight")
        if n_dims != 2 or not has_shape(w, cnp.PyArray_DIMS(b), 1):
            wanted = f"{(<object>b).shape[:1]}, one for each row" if n_dims == 2 else "none: u and v are one pair"
            hint = _validation.column_hint("sample_weight", (<object>w).shape, (<object>b).shape[:1])
            raise ValueError(f"sample_weight has shape {(<object>w).shape}, expected {wanted}{hint}")
        describe_in_order(&call.weight, w, "sample_weight")

    # One pair has one distance, a float: only the distances of rows make an array.
    cdef bint stores_value = want_value and n_dims == 2 and call.reduction == FL_REDUCE_NONE
    cdef int n_outputs = stores_value + want_gradient, i
    check_slots(out, n_outputs)
    cdef tuple inputs = (a, b, wu, wv, w)
    cdef list computed = [], wanted_arrays = []
    for i in range(n_outputs):
        is_value = stores_value and i == 0
        result, target = checked_output(out, i, b, 1 if is_value else n_dims, inputs + tuple(wanted_arrays))
        if i > 0 and overlaps(<cnp.ndarray>target, <cnp.ndarray>wanted_arrays[0]):
            raise ValueError("out[1] overlaps out[0]")
        describe_in_order(&call.value if is_value else &call.gradient, result, "out")
        computed.append(result)
        wanted_arrays.append(target)
    cdef cnp.ndarray largest = a if cnp.PyArray_SIZE(a) > cnp.PyArray_SIZE(b) else b
    cdef list errors = watch(&call.go_on, &call.context, <size_t>cnp.PyArray_SIZE(largest))
    with nogil:
        status = fl_wasserstein(&call)
    if status != FL_OK:
        raise_general_status(status, errors, "u" if largest is a else "v", largest)
        raise_transport_status(
            status, ("u", "v", "u_weights", "v_weights"), (a, b, u_weights, v_weights), call.bad_argument,
            positions is not None, call.bad_row, call.bad_column, call.bad_sum, w, call.weight_sum,
        )
    for result, target in zip(computed, wanted_arrays):
        if target is not result:
            target[...] = result
    if want_value and not stores_value:
        return (call.total, wanted_arrays[0]) if want_gradient else call.total
    return wanted_arrays[0] if n_outputs == 1 else tuple(wanted_arrays)


cdef raise_transport_status(
    fl_status status, tuple names, tuple arrays, int argument, bint are_masses, size_t row, size_t column,
    double total, object w, double weight_sum,
):
    if status == FL_EMPTY:
        raise ValueError("u and v have no rows: the mean of no samples is undefined")
    if status == FL_BAD_WEIGHT_SUM:
        raise ValueError(f"the weights sum to {weight_sum}: the mean is undefined")
    if status == FL_BAD_WEIGHT:
        raise _validation.bad_weight(w, row)
    are_masses = are_masses or argument >= FL_FIRST_WEIGHT
    # The caller's own: weights may be one row for all.
    array = as_array(arrays[argument], names[argument])
    if status == FL_BAD_MASS:
        raise ValueError(_validation.bad_mass(names[argument], array, row, total))
    raise _validation.bad_point(names[argument], array, row, column, are_masses)


cdef cnp.ndarray cloud_of(object points, str name):
    """Points as rows; numbers alone are points on the line."""
    cdef cnp.ndarray a = as_array(points, name)
    if cnp.PyArray_NDIM(a) == 1:
        a = a[:, None]
    if cnp.PyArray_NDIM(a) != 2 or cnp.PyArray_DIM(a, 0) == 0 or cnp.PyArray_DIM(a, 1) == 0:
        raise ValueError(f"{name} has shape {np.shape(points)}, expected (n, d): n points of d coordinates, or (n,)")
    return a


cdef cnp.ndarray weights_of(object weights, cnp.ndarray points, str name):
    cdef cnp.ndarray w = as_array(weights, name)
    if not has_shape(w, cnp.PyArray_DIMS(points), 1):
        raise ValueError(
            f"{name} has shape {(<object>w).shape}, expected {(<object>points).shape[:1]}, one for each point"
            f"{_validation.column_hint(name, (<object>w).shape, (<object>points).shape[:1])}"
        )
    return w


def sinkhorn(
    x, y, x_weights, y_weights, double reg, bint euclidean, bint debiased, double tol, int max_iter, *, out,
    n_threads, bint want_gradient,
):
    """Compute a Sinkhorn divergence: value, gradient by y or None, iterations and the marginals' violation."""
    cdef fl_sinkhorn_call call
    cdef fl_status status
    cdef cnp.ndarray a = cloud_of(x, "X"), b = cloud_of(y, "Y"), wa = None, wb = None
    cdef cnp.ndarray largest = a if cnp.PyArray_DIM(a, 0) > cnp.PyArray_DIM(b, 0) else b
    if cnp.PyArray_DIM(a, 1) != cnp.PyArray_DIM(b, 1):
        raise ValueError(f"X has points of {(<object>a).shape[1]} coordinates, but Y of {(<object>b).shape[1]}")
    call.n, call.m, call.dims = (<object>a).shape[0], (<object>b).shape[0], (<object>b).shape[1]
    call.x_weight.data = call.y_weight.data = call.gradient.data = NULL
    describe_in_order(&call.x, a, "X")
    describe_in_order(&call.y, b, "Y")
    if x_weights is not None:
        wa = weights_of(x_weights, a, "x_weights")
        describe_in_order(&call.x_weight, wa, "x_weights")
    if y_weights is not None:
        wb = weights_of(y_weights, b, "y_weights")
        describe_in_order(&call.y_weight, wb, "y_weights")
    call.reg, call.tol, call.max_iter = reg, tol, max_iter
    call.euclidean, call.debiased = euclidean, debiased
    call.n_threads = thread_count(n_threads)
    cdef list errors = watch(&call.go_on, &call.context, WATCHED_FROM)
    result = target = None
    if want_gradient:
        like = as_array(y, "Y")
        check_slots(out, 1)
        result, target = checked_output(out, 0, like, (<object>like).ndim, (a, b, wa, wb))
        describe_in_order(&call.gradient, result, "out")
    with nogil:
        status = fl_sinkhorn(&call)
    raise_general_status(status, errors, "X" if largest is a else "Y", largest)
    if status == FL_OUT_OF_RANGE:
        raise ValueError(
            f"costs up to {call.largest_cost:g} are beyond what reg={reg:g} resolves in float64: raise reg, or scale X and Y"
        )
    if status != FL_OK:
        raise_transport_status(
            status, ("X", "Y", "x_weights", "y_weights"), (x, y, x_weights, y_weights), call.bad_argument, False,
            call.bad_row, call.bad_column, call.bad_sum, None, 0,
        )
    if target is not result:
        target[...] = result
    return call.value, target, call.iterations, call.violation
