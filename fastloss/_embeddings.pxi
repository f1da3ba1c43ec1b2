"""The losses of embeddings: rows that are vectors, in pairs, in triplets, or against centres."""

cdef extern from "fastloss.h" nogil:
    enum: FL_MAX_INPUTS
    ctypedef struct fl_embeddings_call:
        int kernel
        double margin
        int float32
        fl_reduction reduction
        int n_threads, want_value
        size_t n_rows, n_columns, n_centers
        fl_array input[3]
        fl_array label, weight, value
        fl_array gradient[3]
        fl_go_on go_on
        void *context
        double total, weight_sum
        size_t bad_row
        double bad_value
    int fl_find_embeddings(const char *name)
    int fl_embeddings_n_inputs(int kernel)
    int fl_embeddings_has_label(int kernel)
    fl_status fl_embeddings(fl_embeddings_call *call)
    ctypedef struct fl_similarity_block:
        int float32, n_threads
        void *similarity
        size_t n_rows, n_columns, first_row, first_column, n_vectors
        double inverse_temperature
    void fl_similarity_gather(const fl_similarity_block *block, double *largest, double *sum, double *positive)
    void fl_similarity_slopes(
        const fl_similarity_block *block, const void *level, const void *missed, const void *share
    )


cdef class Embeddings(Verbs):
    """A loss of embeddings, bound to its kernel and margin."""

    cdef int kernel
    cdef double margin

    def __cinit__(self, *args, **kwargs):
        self.kernel = -1

    def _bind(self, str kernel, double margin=0):
        """Choose the kernel and its margin, once, while the object is made."""
        if self.kernel >= 0:
            raise AttributeError("a loss cannot be changed after it is made")
        self.margin = margin
        self.kernel = fl_find_embeddings(kernel.encode())
        if self.kernel < 0:
            raise ValueError(f"no kernel {kernel!r}")

    def _evaluate(
        self, tuple inputs, labels, tuple names, sample_weight, reduction, out, n_threads, bint want_value,
        bint want_gradient,
    ):
        """Compute a value, gradients by all inputs, or both; `names` are those of the arguments."""
        cdef fl_embeddings_call call
        cdef fl_status status
        cdef int n_inputs, i
        cdef cnp.ndarray y = None, w = None
        if self.kernel < 0:
            raise TypeError(f"{type(self).__name__} was never initialised")
        n_inputs = fl_embeddings_n_inputs(self.kernel)
        cdef list arrays = embedding_arrays(inputs, names, self.kernel == fl_find_embeddings("center"))
        cdef cnp.ndarray first = <cnp.ndarray>arrays[0]
        call.kernel = self.kernel
        call.margin = self.margin
        call.reduction = <fl_reduction>reduction_code(reduction)
        call.n_threads = thread_count(n_threads)
        call.want_value = want_value
        call.n_rows = <size_t>cnp.PyArray_DIM(first, 0)
        call.n_columns = <size_t>cnp.PyArray_DIM(first, 1)
        call.n_centers = <size_t>cnp.PyArray_DIM(<cnp.ndarray>arrays[1], 0)
        call.float32 = precision_of(arrays) is np.float32
        for i in range(n_inputs):
            describe_rows(&call.input[i], <cnp.ndarray>arrays[i])
        call.label.data = call.weight.data = call.value.data = NULL
        for i in range(3):
            call.gradient[i].data = NULL
        if fl_embeddings_has_label(self.kernel):
            y = number_a_row(&call.label, labels, names[n_inputs], first, names[0])
        if sample_weight is not None:
            w = number_a_row(&call.weight, sample_weight, "sample_weight", first, names[0])

        cdef bint stores_value = want_value and call.reduction == FL_REDUCE_NONE
        cdef list results = embedding_results(arrays, names, y, w, out, stores_value, want_gradient)
        if stores_value:
            describe(&call.value, <cnp.ndarray>results[0], dtype_code(<cnp.ndarray>results[0]), NULL)
        for i in range(n_inputs if want_gradient else 0):
            describe_rows(&call.gradient[i], <cnp.ndarray>results[stores_value + i])

        cdef list errors = watch(&call.go_on, &call.context, <size_t>cnp.PyArray_SIZE(first))
        with nogil:
            status = fl_embeddings(&call)
        if status != FL_OK:
            i = call.n_centers > call.n_rows
            raise_general_status(status, errors, names[i], <cnp.ndarray>arrays[i])
            raise_embeddings_status(self, &call, status, names, y, w)
        value = results[0] if stores_value else call.total
        if not want_gradient:
            return value
        gradients = tuple(results[stores_value:])
        return (value, gradients) if want_value else gradients


def precision_of(list arrays):
    """Return float32 where it holds all numbers and precision of the arrays, else float64."""
    for a in arrays:
        if dtype_code(<cnp.ndarray>a) not in (FL_FLOAT32, FL_FLOAT16, FL_BFLOAT16):
            return np.float64
    return np.float32


cdef list embedding_arrays(tuple inputs, tuple names, bint has_centers):
    """The arguments as arrays (n, d); of centres the number of rows is their own."""
    cdef list arrays = []
    cdef cnp.ndarray a
    for x, name in zip(inputs, names):
        a = as_array(x, name)
        real_dtype(a, name)
        shape = (<object>a).shape
        if len(shape) != 2 or shape[1] == 0:
            raise ValueError(f"{name} has shape {shape}, expected (n, d): a vector of d numbers in each row")
        if arrays:
            expected = (<object>arrays[0]).shape
            if has_centers and (shape[1] != expected[1] or shape[0] == 0):
                raise ValueError(
                    f"{name} has shape {shape}, expected (C, {expected[1]}) for {names[0]} of shape {expected}"
                )
            if not has_centers and shape != expected:
                raise ValueError(f"{name} has shape {shape}, expected {expected} like {names[0]}")
        arrays.append(a)
    return arrays


cdef cnp.ndarray number_a_row(fl_array *view, object x, str name, cnp.ndarray first, str first_name):
    cdef cnp.ndarray a = as_array(x, name)
    if not has_shape(a, cnp.PyArray_DIMS(first), 1):
        raise ValueError(
            f"{name} has shape {(<object>a).shape}, expected {(<object>first).shape[:1]}, one for each row of "
            f"{first_name}{_validation.column_hint(name, (<object>a).shape, (<object>first).shape[:1])}"
        )
    describe(view, a, real_dtype(a, name), NULL)
    return a


cdef check_apart(str label, object output, int own, list arrays, tuple names, object y, object w, list before):
    """An output may be the argument that it is the gradient of, number `own`, and overlaps nothing else."""
    cdef int i
    for i in range(len(arrays)):
        if i == own and is_same_view(<cnp.ndarray>output, <cnp.ndarray>arrays[i]):
            continue
        if overlaps(<cnp.ndarray>output, <cnp.ndarray>arrays[i]):
            same = " without being the same array" if i == own else ""
            raise ValueError(f"{label} overlaps {names[i]}{same}")
    if y is not None and overlaps(<cnp.ndarray>output, <cnp.ndarray>y):
        raise ValueError(f"{label} overlaps {names[len(arrays)]}")
    if w is not None and overlaps(<cnp.ndarray>output, <cnp.ndarray>w):
        raise ValueError(f"{label} overlaps sample_weight")
    for i in range(len(before)):
        if overlaps(<cnp.ndarray>output, <cnp.ndarray>before[i]):
            raise ValueError(f"{label} overlaps out[{i}]")


cdef list embedding_results(
    list arrays, tuple names, object y, object w, object out, bint stores_value, bint want_gradient
):
    """The arrays to return, given or new: one for values, then one for the gradient by each argument."""
    cdef int n_outputs = stores_value + (len(arrays) if want_gradient else 0), slot, own
    check_slots(out, n_outputs)
    cdef list results = []
    cdef cnp.ndarray like
    for slot in range(n_outputs):
        own = slot - stores_value
        like = <cnp.ndarray>arrays[max(own, 0)]
        n_dims = 1 if own < 0 else 2
        given = given_array(out, slot)
        if given is not None:
            check_output(out, slot, given, like, n_dims)
            check_apart(output_name(out, slot), given, own, arrays, names, y, w, results)
            results.append(given)
        elif own < 0 and any(dtype_code(<cnp.ndarray>a) != dtype_code(like) for a in arrays):
            results.append(np.empty((<object>like).shape[:1], dtype=precision_of(arrays)))
        else:
            results.append(new_output(like, n_dims))
    return results


cdef raise_embeddings_status(
    Embeddings loss, fl_embeddings_call *call, fl_status status, tuple names, object y, object w
):
    if status == FL_EMPTY:
        raise ValueError(f"{names[0]} is empty: the mean of no samples is undefined")
    if status == FL_BAD_WEIGHT_SUM:
        raise ValueError(f"the weights sum to {call.weight_sum}: the mean is undefined")
    if status == FL_BAD_WEIGHT:
        raise _validation.bad_weight(w, call.bad_row)
    name = type(loss).__name__
    n_inputs = fl_embeddings_n_inputs(loss.kernel)
    label = names[n_inputs]
    if loss.kernel == fl_find_embeddings("center"):
        raise _validation.bad_label(name, y, call.bad_row, call.n_centers, label)
    raise _validation.bad_pair_label(name, y, call.bad_row, label, loss._labels)


cdef fl_similarity_block similarity_block(
    cnp.ndarray similarity, size_t first_row, size_t first_column, size_t n_vectors, double temperature,
    int n_threads,
):
    """A C-ordered block of float32 or float64."""
    cdef fl_similarity_block block
    block.float32 = cnp.PyArray_TYPE(similarity) == cnp.NPY_FLOAT
    block.n_threads = n_threads
    block.similarity = cnp.PyArray_DATA(similarity)
    block.n_rows = <size_t>cnp.PyArray_DIM(similarity, 0)
    block.n_columns = <size_t>cnp.PyArray_DIM(similarity, 1)
    block.first_row = first_row
    block.first_column = first_column
    block.n_vectors = n_vectors
    block.inverse_temperature = 1 / temperature
    return block


def embedding_arguments(tuple inputs, tuple names):
    """Return embeddings as arrays of one shape (n, d)."""
    return embedding_arrays(inputs, names, False)


def row_numbers(x, str name, cnp.ndarray first not None, str first_name):
    """Return an argument of one number for each row of the first one."""
    cdef fl_array view
    return number_a_row(&view, x, name, first, first_name)


def embedding_outputs(
    list arrays, tuple names, weight, reduction, out, bint want_value, bint want_gradient
):
    """Return the arrays to write to, and whether the first of them is for values."""
    cdef bint stores_value = reduction_code(reduction) == FL_REDUCE_NONE and want_value
    return embedding_results(arrays, names, None, weight, out, stores_value, want_gradient), stores_value


def checked_threads(n_threads):
    """Return how many threads a call may use that was given `n_threads`."""
    return thread_count(n_threads)


@cython.boundscheck(False)
def similarity_gather(
    cnp.ndarray similarity not None, size_t first_row, size_t first_column, size_t n_vectors,
    double temperature, double[::1] largest not None, double[::1] total not None,
    double[::1] positive not None, int n_threads,
):
    """Add a block of similarities to the sums of the loss against a batch; destroys the block."""
    cdef fl_similarity_block block = similarity_block(
        similarity, first_row, first_column, n_vectors, temperature, n_threads
    )
    with nogil:
        fl_similarity_gather(&block, &largest[0], &total[0], &positive[0])


def similarity_slopes(
    cnp.ndarray similarity not None, size_t first_row, size_t first_column, double temperature,
    cnp.ndarray level not None, cnp.ndarray missed not None, cnp.ndarray share not None, int n_threads,
):
    """Turn a block of similarities into the slopes of the loss by the inner products."""
    cdef fl_similarity_block block = similarity_block(
        similarity, first_row, first_column, <size_t>cnp.PyArray_DIM(level, 0), temperature, n_threads
    )
    cdef void *levels = cnp.PyArray_DATA(level)
    cdef void *misses = cnp.PyArray_DATA(missed)
    cdef void *shares = cnp.PyArray_DATA(share)
    with nogil:
        fl_similarity_slopes(&block, levels, misses, shares)
