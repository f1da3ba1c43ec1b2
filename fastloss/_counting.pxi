"""Counts of pairs of labels, ranks of strings, bins of probabilities."""

from cpython.dict cimport PyDict_GetItem
from cpython.ref cimport PyObject
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "counting/counting.h" nogil:
    ctypedef struct fl_pair_count:
        size_t n, n_a, n_b
        fl_array a, b, weight
        fl_go_on go_on
        void *context
        uint64_t *counts
        double *sums
    fl_status fl_count_pairs(fl_pair_count *c)
    fl_status fl_find_bins(const fl_array *x, size_t n, const double *edges, size_t n_edges, uint32_t *bins)
    fl_status fl_encode_items(
        const char *items, size_t itemsize, size_t n, uint32_t *codes, size_t *first, size_t *n_codes
    )

cdef enum:
    N_KNOWN = 1024  # objects whose codes are found by their addresses


cdef int describe_line(fl_array *view, cnp.ndarray a, str name) except -1:
    cdef int order = 0
    if cnp.PyArray_NDIM(a) != 1:
        raise ValueError(f"{name} must have one dimension")
    return describe(view, a, real_dtype(a, name), &order)


def count_pairs(cnp.ndarray a not None, size_t n_a, cnp.ndarray b not None, size_t n_b, weight=None):
    """Count pairs of codes, (n_a, n_b), or add up their weights: of integers in int64."""
    cdef fl_pair_count call
    cdef fl_status status
    cdef cnp.ndarray w, result
    cdef list errors
    call.n, call.n_a, call.n_b = <size_t>(<object>a).size, n_a, n_b
    call.weight.data = NULL
    describe_line(&call.a, a, "a")
    describe_line(&call.b, b, "b")
    if (<object>a).dtype.kind not in "biu" or (<object>b).dtype.kind not in "biu":
        raise TypeError("codes must be integers")
    if weight is not None:
        w = weight
        describe_line(&call.weight, w, "sample_weight")
        if cnp.PyArray_DIM(w, 0) != cnp.PyArray_DIM(a, 0):
            raise ValueError("a, b and the weights must have one length")
    if cnp.PyArray_DIM(a, 0) != cnp.PyArray_DIM(b, 0):
        raise ValueError("a, b and the weights must have one length")
    are_sums = weight is not None and weight.dtype.kind not in "biu"
    is_narrow = weight is not None and weight.dtype.kind in "biu" and weight.dtype.itemsize < 8
    result = np.empty((n_a, n_b), np.float64 if are_sums or is_narrow else np.int64)
    call.counts = <uint64_t *>cnp.PyArray_DATA(result)
    call.sums = <double *>cnp.PyArray_DATA(result)
    errors = watch(&call.go_on, &call.context, call.n)
    with nogil:
        status = fl_count_pairs(&call)
    raise_general_status(status, errors, "y_true", a)
    return result.astype(np.int64) if is_narrow else result


@cython.boundscheck(False)
@cython.wraparound(False)
def find_bins(cnp.ndarray x not None, double[::1] edges not None):
    """Return for each number how many edges are below it."""
    cdef fl_array view
    cdef uint32_t[::1] bins = np.empty((<object>x).shape, np.uint32)
    cdef size_t n = <size_t>bins.shape[0], n_edges = <size_t>edges.shape[0]
    describe_line(&view, x, "y_prob")
    if n:
        with nogil:
            fl_find_bins(&view, n, &edges[0] if n_edges else NULL, n_edges, &bins[0])
    return np.asarray(bins)


def encode_items(cnp.ndarray items not None, cnp.ndarray out=None):
    """Return codes of items told apart by their bytes, in the order they come, and where each is first."""
    cdef cnp.ndarray packed = np.ascontiguousarray(items)
    cdef size_t n = <size_t>packed.size, n_codes = 0
    cdef cnp.ndarray codes = np.empty(n, np.uint32) if out is None else out, first = np.empty(n, np.uintp)
    cdef const char *data = <const char *>cnp.PyArray_DATA(packed)
    cdef uint32_t *to_codes = <uint32_t *>cnp.PyArray_DATA(codes)
    cdef size_t *to_first = <size_t *>cnp.PyArray_DATA(first)
    cdef size_t itemsize = <size_t>cnp.PyArray_ITEMSIZE(packed)
    cdef fl_status status
    if cnp.PyArray_NDIM(items) != 1 or items.dtype.hasobject or n >= 0xffffffff:
        raise TypeError("expected fewer than 2**32 - 1 plain items in one dimension")
    if codes.dtype != np.uint32 or <size_t>codes.size != n or not codes.flags.carray:
        raise ValueError("out must be of as many codes")
    with nogil:
        status = fl_encode_items(data, itemsize, n, to_codes, to_first, &n_codes)
    raise_general_status(status, None, "by", packed)
    return codes, first[:n_codes]


@cython.boundscheck(False)
@cython.wraparound(False)
def encode_objects(cnp.ndarray y not None):
    """Return the different objects as they appear, and the code of each as its place among them."""
    cdef Py_ssize_t i, n = cnp.PyArray_DIM(y, 0), stride = cnp.PyArray_STRIDE(y, 0)
    cdef char *item = <char *>cnp.PyArray_DATA(y)
    cdef PyObject *known[N_KNOWN]
    cdef uint32_t code_of_known[N_KNOWN]
    cdef PyObject *address
    cdef PyObject *found
    cdef size_t slot
    cdef dict table = {}
    cdef list classes = []
    cdef object label
    cdef uint32_t code
    cdef uint32_t[::1] codes = np.empty(n, np.uint32)
    if (<object>y).dtype != np.dtype(object) or cnp.PyArray_NDIM(y) != 1:
        raise TypeError("expected objects in one dimension")
    for i in range(N_KNOWN):
        known[i] = NULL
    for i in range(n):
        address = (<PyObject **>item)[0]
        item += stride
        slot = (<size_t>address >> 4) % N_KNOWN
        if known[slot] != address or address == NULL:
            label = <object>address if address != NULL else None
            found = PyDict_GetItem(table, label) if type(label) is str else NULL
            if found == NULL:
                code = table.setdefault(label, len(classes))
                if code == <uint32_t>len(classes):
                    classes.append(label)
            else:
                code = <uint32_t><object>found
            # Objects of the table stay: an address that is known is theirs. Others could have gone since.
            if classes[code] is not label:
                codes[i] = code
                continue
            known[slot] = address
            code_of_known[slot] = code
        codes[i] = code_of_known[slot]
    return classes, np.asarray(codes)
