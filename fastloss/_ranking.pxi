"""Samples in the order of their scores: areas, curves; rankings within rows."""

cdef extern from "ranking/ranking.h" nogil:
    ctypedef struct fl_ordering:
        size_t n
        fl_array score
        const uint8_t *positive
        fl_array weight
        fl_go_on go_on
        void *context
        int has_negative_weights
    size_t fl_ordering_bytes(const fl_ordering *r)
    fl_status fl_rank(fl_ordering *r, void *memory)
    double fl_ordering_auc(const fl_ordering *r)
    void fl_summarise_ordering(const fl_ordering *r, fl_ranking_summary *to)
    double fl_ordering_average_precision(const fl_ordering *r)
    size_t fl_ordering_n_thresholds(const fl_ordering *r)
    void fl_ordering_curve(const fl_ordering *r, double *negative, double *positive, void *threshold)
    void fl_is_among_top(
        const void *scores, fl_dtype dtype, const int64_t *column, size_t n, size_t n_columns, size_t k,
        uint8_t *result,
    )
    fl_status fl_discounted_gains(
        const double *gains, const void *scores, fl_dtype dtype, size_t n, size_t n_columns,
        const double *discount, int ignore_ties, double *result,
    )


cdef class Ranking:
    """Scores of two classes in descending order; a ValueError names the argument that is not finite."""

    cdef fl_ordering r
    cdef cnp.ndarray memory  # NumPy's, which asks for large pages

    def __cinit__(self, cnp.ndarray score not None, uint8_t[::1] positive not None, weight=None):
        cdef fl_status status
        cdef list errors
        cdef fl_ordering *r = &self.r
        cdef void *memory
        r.n = <size_t>positive.shape[0]
        r.weight.data = NULL
        describe_line(&r.score, score, "y_score")
        if <size_t>cnp.PyArray_DIM(score, 0) != r.n:
            raise ValueError("scores, labels and weights must have one length")
        if weight is not None:
            describe_line(&r.weight, weight, "sample_weight")
            if <size_t>cnp.PyArray_DIM(<cnp.ndarray>weight, 0) != r.n:
                raise ValueError("scores, labels and weights must have one length")
        r.positive = &positive[0] if r.n else NULL
        errors = watch(&r.go_on, &r.context, r.n)
        try:
            self.memory = np.empty(fl_ordering_bytes(r), np.uint8)
            memory = cnp.PyArray_DATA(self.memory)
        except (MemoryError, ValueError):
            memory = NULL
        with nogil:
            status = fl_rank(r, memory)
        # They are the caller's: nothing of them is read any more.
        r.positive = NULL
        raise_general_status(status, errors, "y_score", score)
        if status == FL_BAD_WEIGHT:
            raise ValueError("sample_weight")
        if status != FL_OK:
            raise ValueError("y_score")

    @property
    def has_negative_weights(self):
        """Whether some weight is below 0, so that curves turn back."""
        return bool(self.r.has_negative_weights)

    def auc(self):
        """Return the area under the ROC curve."""
        cdef double area
        with nogil:
            area = fl_ordering_auc(&self.r)
        return area

    def summary(self):
        """Return what the order says, as `summarise_counts` does, of samples without weights."""
        cdef fl_ranking_summary s
        if self.r.weight.data != NULL or self.r.n > 0xffffffff:
            raise ValueError("samples have weights, or are too many")
        with nogil:
            fl_summarise_ordering(&self.r, &s)
        return s

    def average_precision(self):
        """Return the average precision."""
        cdef double precision
        with nogil:
            precision = fl_ordering_average_precision(&self.r)
        return precision

    def curve(self):
        """Return false and true positives at each threshold, and the thresholds, from the largest on."""
        cdef size_t n
        with nogil:
            n = fl_ordering_n_thresholds(&self.r)
        cdef cnp.ndarray negative = np.empty(n), positive = np.empty(n)
        cdef int code = self.r.score.dtype
        dtypes = {FL_FLOAT32: np.float32, FL_INT64: np.int64, FL_UINT64: np.uint64}
        cdef cnp.ndarray threshold = np.empty(n, dtypes.get(code, np.float64))
        cdef double *to_negative = <double *>cnp.PyArray_DATA(negative)
        cdef double *to_positive = <double *>cnp.PyArray_DATA(positive)
        cdef void *to_threshold = cnp.PyArray_DATA(threshold)
        with nogil:
            fl_ordering_curve(&self.r, to_negative, to_positive, to_threshold)
        return negative, positive, threshold


cdef int row_dtype(cnp.ndarray scores, Py_ssize_t n) except -1:
    """The dtype of scores of n rows that the functions of rows take, in C order."""
    cdef int code = dtype_code(scores)
    if code not in (FL_FLOAT32, FL_FLOAT64, FL_INT64) or not cnp.PyArray_ISCARRAY_RO(scores):
        raise TypeError("expected float32, float64 or int64 in C order")
    if cnp.PyArray_NDIM(scores) != 2 or cnp.PyArray_DIM(scores, 0) != n:
        raise ValueError("expected one row for each sample")
    return code


@cython.boundscheck(False)
@cython.wraparound(False)
def is_among_top(cnp.ndarray scores not None, int64_t[::1] column not None, size_t k):
    """Tell for each row whether its column's score is among the k largest."""
    cdef size_t n = <size_t>column.shape[0], i, n_columns
    cdef int code = row_dtype(scores, column.shape[0])
    cdef uint8_t[::1] result = np.empty(n, np.uint8)
    n_columns = <size_t>cnp.PyArray_DIM(scores, 1)
    for i in range(n):
        if <uint64_t>column[i] >= n_columns:
            raise ValueError("a column that is none")
    if n:
        with nogil:
            fl_is_among_top(cnp.PyArray_DATA(scores), <fl_dtype>code, &column[0], n, n_columns, k, &result[0])
    return np.asarray(result).view(bool)


@cython.boundscheck(False)
@cython.wraparound(False)
def discounted_gains(
    double[:, ::1] gains not None, cnp.ndarray scores not None, double[::1] discount not None, bint ignore_ties
):
    """Return for each row its gains in the order of its scores, discounted by their places, and summed."""
    cdef size_t n = <size_t>gains.shape[0], n_columns = <size_t>gains.shape[1]
    cdef int code = row_dtype(scores, gains.shape[0])
    cdef double[::1] result = np.empty(n)
    cdef fl_status status = FL_OK
    if <size_t>cnp.PyArray_DIM(scores, 1) != n_columns or <size_t>discount.shape[0] != n_columns:
        raise ValueError("gains, scores and discount must have one number of columns")
    if n and n_columns:
        with nogil:
            status = fl_discounted_gains(
                &gains[0, 0], cnp.PyArray_DATA(scores), <fl_dtype>code, n, n_columns, &discount[0], ignore_ties,
                &result[0],
            )
    raise_general_status(status, None, "y_score", scores)
    return np.asarray(result)
