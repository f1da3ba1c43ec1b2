"""What an evaluation adds up: exact sums, counts of scores, orders of rows."""

from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

cdef extern from "evaluation/evaluation.h" nogil:
    enum: FL_EXACT_LIMBS
    enum: FL_SCORE_KEYS
    enum: FL_N_RUNS
    enum: FL_MOST_VALUES
    enum: FL_RUN
    ctypedef struct fl_exact:
        int64_t limb[136]
        uint64_t above, below, nans, additions
    ctypedef struct fl_wide:
        pass
    ctypedef struct fl_wider:
        pass
    ctypedef struct fl_ranking:
        const double *weight[2]
        const double *square[2]
        size_t n
    ctypedef struct fl_ranking_summary:
        double weight[2]
        double square[2]
        double auc, auc_margin, auc_variance, precision, precision_margin, ks, ks_margin
    void fl_exact_carry(fl_exact *a)
    void fl_exact_add_bits(fl_exact *a, uint64_t m, int place, int negative)
    void fl_exact_merge(fl_exact *a, fl_exact *b)
    void fl_add_moments(
        fl_exact *cells, size_t n_values, const void *const *values, int floats, const double *weights,
        const double *counted, size_t n
    )
    void fl_add_weights(fl_exact *cells, const double *weights, size_t n)
    int fl_find_probability_bins(
        const void *p, int floats, const uint8_t *labels, size_t n, uint32_t n_bins, uint32_t *codes
    )
    ctypedef struct fl_counts:
        uint8_t *low
        uint32_t *high
        uint8_t *is_high
    void fl_merge_counts(const fl_counts *table, const fl_counts *more, const uint32_t *extent)
    void fl_read_run(const fl_counts *table, size_t run, uint32_t *to)
    int fl_count_scores(
        const fl_counts *table, uint32_t *extent, const void *scores, int floats, const uint8_t *labels, size_t n
    )
    int fl_weigh_scores(
        fl_wide *table, fl_wider *squares, uint32_t *extent, const void *scores, int floats, const uint8_t *labels,
        const double *weights, size_t n
    )
    void fl_merge_weights(
        fl_wide *table, fl_wider *squares, const fl_wide *more, const fl_wider *more_squares, const uint32_t *extent
    )
    uint32_t fl_place_of_key(uint32_t key, uint32_t label)
    ctypedef struct fl_row_array:
        const char *from_ "from"
        size_t itemsize
        char *to
    void fl_bring_together(
        const uint32_t *codes, size_t n, size_t n_codes, size_t n_arrays, const fl_row_array *arrays,
        Py_ssize_t *starts, uint32_t *next
    )
    void fl_summarise_ranking(const fl_ranking *r, fl_ranking_summary *to)
    void fl_summarise_counts(const fl_counts *table, const uint32_t *extent, int with_order, fl_ranking_summary *to)
    void fl_summarise_weights(
        const fl_wide *table, const fl_wider *squares, const uint32_t *extent, int with_order, fl_ranking_summary *to
    )
    size_t fl_list_counts(const fl_counts *table, const uint32_t *extent, uint32_t *keys, double *const *weight)
    size_t fl_list_weights(
        const fl_wide *table, const fl_wider *squares, const uint32_t *extent, uint32_t *keys,
        double *const *weight, double *const *square
    )

SCORE_KEYS = FL_SCORE_KEYS
#: Keys lie in runs of so many, whose parts of a table lie one after the other.
RUN_KEYS = FL_RUN
RUNS = FL_N_RUNS
EXACT_UNIT = 2148
cdef enum:
    MOST_VALUES = FL_MOST_VALUES
    EXACT_BYTES = 4 * (FL_EXACT_LIMBS - 1) + 8


@cython.boundscheck(False)
cdef int check_runs(Py_ssize_t[::1] starts, Py_ssize_t[::1] groups, Py_ssize_t n, Py_ssize_t n_groups) except -1:
    """Runs of rows, one after the other, and the group of each."""
    cdef Py_ssize_t i
    if starts.shape[0] != groups.shape[0] + 1 or starts[0] != 0 or starts[groups.shape[0]] != n:
        raise ValueError("the runs do not cover the rows")
    for i in range(groups.shape[0]):
        if starts[i + 1] < starts[i] or not 0 <= groups[i] < n_groups:
            raise ValueError("a run has no rows or no group")
    return 0


cdef class ExactSums:
    """Exact sums for each of some groups: of weights, or of values, with their second and cross moments.

    With m values the cells of a group are the sums of p_k, of p_k w, and of p_j p_k for j <= k, where p_k is
    w l_k rounded once; without any (m = 0) those of w and of w².
    """

    cdef fl_exact *cells
    cdef readonly Py_ssize_t n_groups
    cdef readonly int n_values, width

    def __cinit__(self, int n_values):
        if not 0 <= n_values <= MOST_VALUES:
            raise ValueError(f"expected at most {MOST_VALUES} values, got {n_values}")
        self.n_values = n_values
        self.width = 2 * n_values + n_values * (n_values + 1) // 2 if n_values else 2
        self.cells = NULL

    def __dealloc__(self):
        PyMem_RawFree(self.cells)

    def grow(self, Py_ssize_t n_groups):
        """Have so many groups at least; new ones are empty."""
        cdef fl_exact *cells
        if n_groups <= self.n_groups:
            return
        cells = <fl_exact *>PyMem_RawRealloc(self.cells, n_groups * self.width * sizeof(fl_exact))
        if cells == NULL:
            raise MemoryError(f"no memory for the sums of {n_groups} groups")
        memset(cells + self.n_groups * self.width, 0, (n_groups - self.n_groups) * self.width * sizeof(fl_exact))
        self.cells = cells
        self.n_groups = n_groups

    @cython.boundscheck(False)
    def add_values(self, list values, weights, counted, Py_ssize_t[::1] starts, Py_ssize_t[::1] groups):
        """Add rows: arrays of one length and precision, and the groups of runs of rows.

        They are multiplied by `weights` and count for `counted`, each an array of float64 or None for 1.
        """
        cdef const void *data[MOST_VALUES]
        cdef const void *run[MOST_VALUES]
        cdef const double[::1] w, c
        cdef const double *w_data = NULL
        cdef const double *c_data = NULL
        cdef cnp.ndarray array
        cdef Py_ssize_t i, n, itemsize
        cdef int k, floats
        if len(values) != self.n_values or not values:
            raise ValueError(f"expected {self.n_values} arrays of values")
        n = len(values[0])
        floats = values[0].dtype == np.float32
        itemsize = 4 if floats else 8
        for k in range(self.n_values):
            array = values[k]
            if array.dtype != (np.float32 if floats else np.float64) or not array.flags.c_contiguous:
                raise TypeError("values must be contiguous, all float32 or all float64")
            if array.shape[0] != n or array.ndim != 1:
                raise ValueError("values must have one length")
            data[k] = cnp.PyArray_DATA(array)
        check_runs(starts, groups, n, self.n_groups)
        if not n:
            return
        if weights is not None:
            w = weights
            w_data = &w[0]
        if counted is not None:
            c = counted
            c_data = &c[0]
        if (w_data != NULL and w.shape[0] != n) or (c_data != NULL and c.shape[0] != n):
            raise ValueError("weights must have the values' length")
        with nogil:
            for i in range(groups.shape[0]):
                for k in range(self.n_values):
                    run[k] = <const char *>data[k] + starts[i] * itemsize
                fl_add_moments(
                    self.cells + groups[i] * self.width, self.n_values, run, floats,
                    w_data + starts[i] if w_data != NULL else NULL,
                    c_data + starts[i] if c_data != NULL else NULL, starts[i + 1] - starts[i],
                )

    @cython.boundscheck(False)
    def add_weights(self, const double[::1] weights, Py_ssize_t[::1] starts, Py_ssize_t[::1] groups):
        """Add rows' weights, and their squares."""
        cdef Py_ssize_t i
        if self.n_values:
            raise ValueError("these are sums of values")
        check_runs(starts, groups, weights.shape[0], self.n_groups)
        with nogil:
            for i in range(groups.shape[0]):
                if starts[i + 1] > starts[i]:
                    fl_add_weights(
                        self.cells + groups[i] * self.width, &weights[starts[i]], starts[i + 1] - starts[i]
                    )

    @cython.boundscheck(False)
    def add_counts(self, int64_t[::1] counts, Py_ssize_t[::1] groups):
        """Add so many rows of weight 1."""
        cdef Py_ssize_t i
        cdef int j
        if self.n_values or counts.shape[0] != groups.shape[0]:
            raise ValueError("expected a count for each group")
        for i in range(groups.shape[0]):
            if not 0 <= groups[i] < self.n_groups or counts[i] < 0:
                raise ValueError("no such group, or a negative count")
            for j in range(2):
                fl_exact_add_bits(self.cells + groups[i] * 2 + j, counts[i], EXACT_UNIT, 0)

    @cython.boundscheck(False)
    def merge(self, ExactSums other not None, Py_ssize_t[::1] groups):
        """Add the sums of another object, whose group i is groups[i] here."""
        cdef Py_ssize_t i
        cdef int j
        if other.n_values != self.n_values or groups.shape[0] != other.n_groups:
            raise ValueError("sums of other things")
        for i in range(groups.shape[0]):
            if not 0 <= groups[i] < self.n_groups:
                raise ValueError("no such group")
            for j in range(self.width):
                fl_exact_merge(
                    self.cells + groups[i] * self.width + j, other.cells + i * self.width + j
                )

    def clear(self):
        """Take everything away that has been added."""
        cdef Py_ssize_t i
        cdef fl_exact *a
        for i in range(self.n_groups * self.width):
            a = self.cells + i
            if a.additions or a.above or a.below or a.nans:
                memset(a, 0, sizeof(fl_exact))

    def cell(self, Py_ssize_t group, int i):
        """Return a sum as an integer in units of 2^-2148, and how many numbers were inf, -inf, NaN."""
        cdef fl_exact *a
        cdef unsigned char raw[EXACT_BYTES]
        cdef uint64_t limb
        cdef int k, j
        if not (0 <= group < self.n_groups and 0 <= i < self.width):
            raise IndexError("no such sum")
        a = self.cells + group * self.width + i
        fl_exact_carry(a)
        for k in range(FL_EXACT_LIMBS):
            limb = <uint64_t>a.limb[k]
            for j in range(8 if k == FL_EXACT_LIMBS - 1 else 4):
                raw[4 * k + j] = <unsigned char>(limb >> (8 * j))
        total = int.from_bytes((<char *>raw)[:EXACT_BYTES], "little", signed=True)
        return total, a.above, a.below, a.nans

    def set_cell(self, Py_ssize_t group, int i, total, uint64_t above, uint64_t below, uint64_t nans):
        """Set a sum to what `cell` returned."""
        cdef fl_exact *a
        cdef int k
        if not (0 <= group < self.n_groups and 0 <= i < self.width):
            raise IndexError("no such sum")
        cdef bytes raw = total.to_bytes(EXACT_BYTES, "little", signed=True)
        a = self.cells + group * self.width + i
        memset(a, 0, sizeof(fl_exact))
        for k in range(FL_EXACT_LIMBS - 1):
            a.limb[k] = <int64_t>int.from_bytes(raw[4 * k : 4 * k + 4], "little")
        a.limb[FL_EXACT_LIMBS - 1] = <int64_t>int.from_bytes(raw[EXACT_BYTES - 8 :], "little", signed=True)
        a.above, a.below, a.nans, a.additions = above, below, nans, 1


@cython.boundscheck(False)
def bring_together(const uint32_t[::1] codes not None, Py_ssize_t n_codes, list arrays not None, list out=None):
    """Return arrays with their rows ordered by code, stable, and where each code begins then."""
    cdef Py_ssize_t n = codes.shape[0], i
    cdef Py_ssize_t[::1] starts = np.zeros(n_codes + 1, dtype=np.intp)
    cdef uint32_t[::1] scratch = np.empty(n_codes, dtype=np.uint32)
    cdef fl_row_array rows[MOST_VALUES]
    cdef size_t n_arrays = len(arrays)
    cdef cnp.ndarray source
    if n > 0xffffffff or n_arrays > MOST_VALUES:
        raise ValueError("too many rows or arrays")
    if n and np.max(codes) >= n_codes:
        raise ValueError("a code is too large")
    sources = [np.ascontiguousarray(array) for array in arrays]
    found = [np.empty_like(array) for array in sources] if out is None else out
    for i, source in enumerate(sources):
        if source.dtype.hasobject or cnp.PyArray_DIM(source, 0) != n:
            raise TypeError("expected as many rows of plain numbers as there are codes")
        if found[i].nbytes != source.nbytes or not found[i].flags.carray:
            raise ValueError("out has an array of another size")
        rows[i].from_ = <const char *>cnp.PyArray_DATA(source)
        rows[i].itemsize = <size_t>(source.nbytes // max(n, 1))
        rows[i].to = <char *>cnp.PyArray_DATA(found[i])
    if n:
        with nogil:
            fl_bring_together(&codes[0], n, n_codes, n_arrays, rows, &starts[0], &scratch[0])
    return found, np.asarray(starts)


cdef int check_scores(scores, Py_ssize_t n) except -1:
    if scores.dtype not in (np.float32, np.float64) or not scores.flags.c_contiguous or scores.ndim != 1:
        raise TypeError("scores must be a contiguous array of float32 or float64")
    if len(scores) != n:
        raise ValueError("scores and labels must have one length")
    return scores.dtype == np.float32


@cython.boundscheck(False)
def find_probability_bins(
    cnp.ndarray p not None, const uint8_t[::1] labels not None, uint32_t n_bins, uint32_t[::1] codes not None
):
    """Write twice the bin of each probability, and its label; return whether all are from 0 to 1."""
    cdef int floats = check_scores(p, labels.shape[0]), fine
    if not 1 <= n_bins <= 1 << 30 or codes.shape[0] != labels.shape[0]:
        raise ValueError("there is another number of codes, or no bin")
    if not labels.shape[0]:
        return True
    with nogil:
        fine = fl_find_probability_bins(
            cnp.PyArray_DATA(p), floats, &labels[0], labels.shape[0], n_bins, &codes[0]
        )
    return bool(fine)


cdef int check_table(
    fl_counts *table, uint8_t[::1] low, uint32_t[::1] high, uint8_t[::1] is_high, uint32_t[::1] extent,
) except -1:
    """The counts of a table, whose extent is the lowest and the highest key that it has."""
    if low.shape[0] != 2 * FL_SCORE_KEYS or high.shape[0] != 2 * FL_SCORE_KEYS or is_high.shape[0] != FL_N_RUNS:
        raise ValueError("a table has another size")
    if extent.shape[0] != 2 or (extent[0] <= extent[1] and extent[1] >= FL_SCORE_KEYS):
        raise ValueError("there is no such key")
    table.low, table.high, table.is_high = &low[0], &high[0], &is_high[0]
    return 0


cdef int check_weights(uint64_t[:, ::1] wide, uint64_t[:, :, ::1] squares, uint32_t[::1] extent) except -1:
    if (
        wide.shape[0] != 2 * FL_SCORE_KEYS or wide.shape[1] != 2 or extent.shape[0] != 2
        or squares.shape[0] != FL_N_RUNS or squares.shape[1] != 2 or squares.shape[2] != 3
    ):
        raise ValueError("a table has another size")
    if extent[0] <= extent[1] and extent[1] >= FL_SCORE_KEYS:
        raise ValueError("there is no such key")
    return 0


@cython.boundscheck(False)
def count_scores(
    uint8_t[::1] low not None, uint32_t[::1] high not None, uint8_t[::1] is_high not None,
    uint32_t[::1] extent not None, cnp.ndarray scores not None, const uint8_t[::1] labels not None,
):
    """Count rows by the key of their score and by label; return whether no score was NaN."""
    cdef int floats = check_scores(scores, labels.shape[0]), fine
    cdef fl_counts table
    check_table(&table, low, high, is_high, extent)
    if not labels.shape[0]:
        return True
    with nogil:
        fine = fl_count_scores(
            &table, &extent[0], cnp.PyArray_DATA(scores), floats, &labels[0], labels.shape[0]
        )
    return bool(fine)


@cython.boundscheck(False)
def merge_counts(
    uint8_t[::1] low not None, uint32_t[::1] high not None, uint8_t[::1] is_high not None,
    uint8_t[::1] more_low not None, uint32_t[::1] more_high not None, uint8_t[::1] more_is_high not None,
    uint32_t[::1] extent not None,
):
    """Add counts, of this extent, to others."""
    cdef fl_counts table, more
    check_table(&table, low, high, is_high, extent)
    check_table(&more, more_low, more_high, more_is_high, extent)
    if extent[0] <= extent[1]:
        with nogil:
            fl_merge_counts(&table, &more, &extent[0])


@cython.boundscheck(False)
def read_counts(
    uint8_t[::1] low not None, uint32_t[::1] high not None, uint8_t[::1] is_high not None,
    uint32_t[::1] extent not None,
):
    """Return the counts of all runs of an extent, a row for each."""
    cdef fl_counts table
    check_table(&table, low, high, is_high, extent)
    cdef Py_ssize_t first = extent[0] // FL_RUN, i
    cdef Py_ssize_t n = extent[1] // FL_RUN + 1 - first if extent[0] <= extent[1] else 0
    cdef uint32_t[:, ::1] counts = np.empty((n, 2 * FL_RUN), dtype=np.uint32)
    for i in range(n):
        fl_read_run(&table, first + i, &counts[i, 0])
    return np.asarray(counts)


@cython.boundscheck(False)
def weigh_scores(
    uint64_t[:, ::1] wide not None, uint64_t[:, :, ::1] squares not None, uint32_t[::1] extent not None,
    cnp.ndarray scores not None, const uint8_t[::1] labels not None, const double[::1] weights not None,
):
    """Add rows' weights by the key of their score and by label; return whether no score was NaN."""
    cdef int floats = check_scores(scores, labels.shape[0]), fine
    check_weights(wide, squares, extent)
    if weights.shape[0] != labels.shape[0]:
        raise ValueError("scores and weights must have one length")
    if not labels.shape[0]:
        return True
    with nogil:
        fine = fl_weigh_scores(
            <fl_wide *>&wide[0, 0], <fl_wider *>&squares[0, 0, 0], &extent[0], cnp.PyArray_DATA(scores), floats,
            &labels[0], &weights[0], labels.shape[0],
        )
    return bool(fine)


@cython.boundscheck(False)
def merge_weights(
    uint64_t[:, ::1] wide not None, uint64_t[:, :, ::1] squares not None,
    uint64_t[:, ::1] more not None, uint64_t[:, :, ::1] more_squares not None, uint32_t[::1] extent not None,
):
    """Add weights and their squares, of this extent, to others."""
    check_weights(wide, squares, extent)
    check_weights(more, more_squares, extent)
    with nogil:
        fl_merge_weights(
            <fl_wide *>&wide[0, 0], <fl_wider *>&squares[0, 0, 0], <fl_wide *>&more[0, 0],
            <fl_wider *>&more_squares[0, 0, 0], &extent[0],
        )


@cython.boundscheck(False)
def summarise_counts(
    uint8_t[::1] low not None, uint32_t[::1] high not None, uint8_t[::1] is_high not None,
    uint32_t[::1] extent not None, bint with_order=True,
):
    """Return the weights, AUC, its margin and variance of a table of counts, as a dictionary.

    `with_order` the average precision, KS and their margins as well.
    """
    cdef fl_ranking_summary s
    cdef fl_counts table
    check_table(&table, low, high, is_high, extent)
    with nogil:
        fl_summarise_counts(&table, &extent[0], with_order, &s)
    return s


@cython.boundscheck(False)
def summarise_weights(
    uint64_t[:, ::1] wide not None, uint64_t[:, :, ::1] squares not None, uint32_t[::1] extent not None,
    bint with_order=True,
):
    """Return the same of a table of weights."""
    cdef fl_ranking_summary s
    check_weights(wide, squares, extent)
    with nogil:
        fl_summarise_weights(
            <fl_wide *>&wide[0, 0], <fl_wider *>&squares[0, 0, 0], &extent[0], with_order, &s
        )
    return s


cdef Py_ssize_t keys_within(uint32_t[::1] extent):
    """The keys of the runs of an extent, and one more."""
    return (extent[1] // FL_RUN + 1 - extent[0] // FL_RUN) * FL_RUN + 1 if extent[0] <= extent[1] else 1


@cython.boundscheck(False)
def list_counts(
    uint8_t[::1] low not None, uint32_t[::1] high not None, uint8_t[::1] is_high not None,
    uint32_t[::1] extent not None,
):
    """Return the keys that have counts, the highest first, and their counts of the labels 0 and 1."""
    cdef size_t n
    cdef fl_counts table
    check_table(&table, low, high, is_high, extent)
    cdef uint32_t[::1] keys = np.empty(keys_within(extent), dtype=np.uint32)
    cdef double[:, ::1] found = np.empty((2, keys_within(extent)))
    cdef double *weight[2]
    weight[0], weight[1] = &found[0, 0], &found[1, 0]
    with nogil:
        n = fl_list_counts(&table, &extent[0], &keys[0], weight)
    return np.asarray(keys)[:n], *np.asarray(found)[:, :n]


@cython.boundscheck(False)
def list_weights(
    uint64_t[:, ::1] wide not None, uint64_t[:, :, ::1] squares not None, uint32_t[::1] extent not None
):
    """Return the keys that have weights, the highest first, their weights by label, and those' squares."""
    cdef size_t n
    check_weights(wide, squares, extent)
    cdef uint32_t[::1] keys = np.empty(keys_within(extent), dtype=np.uint32)
    cdef double[:, ::1] found = np.empty((4, keys_within(extent)))
    cdef double *weight[2]
    cdef double *square[2]
    cdef int label
    for label in range(2):
        weight[label], square[label] = &found[label, 0], &found[2 + label, 0]
    with nogil:
        n = fl_list_weights(
            <fl_wide *>&wide[0, 0], <fl_wider *>&squares[0, 0, 0], &extent[0], &keys[0], weight, square
        )
    return np.asarray(keys)[:n], *np.asarray(found)[:, :n]


@cython.boundscheck(False)
def places_of_keys(const uint32_t[::1] keys not None):
    """Return where a table has each key, of the label 0 and of the label 1."""
    cdef uint32_t[:, ::1] places = np.empty((keys.shape[0], 2), dtype=np.uint32)
    cdef Py_ssize_t i
    cdef int label
    for i in range(keys.shape[0]):
        if keys[i] >= FL_SCORE_KEYS:
            raise ValueError("there is no such key")
        for label in range(2):
            places[i, label] = fl_place_of_key(keys[i], <uint32_t>label)
    return np.asarray(places)


@cython.boundscheck(False)
cdef int as_ranking(
    fl_ranking *r, const double[::1] negative, const double[::1] positive, const double[::1] negative_squares,
    const double[::1] positive_squares,
) except -1:
    cdef Py_ssize_t n = negative.shape[0]
    if not n or positive.shape[0] != n or negative_squares.shape[0] != n or positive_squares.shape[0] != n:
        raise ValueError("expected four arrays of one length")
    r.weight[0], r.weight[1] = &negative[0], &positive[0]
    r.square[0], r.square[1] = &negative_squares[0], &positive_squares[0]
    r.n = n
    return 0


def summarise_ranking(
    const double[::1] negative not None, const double[::1] positive not None,
    const double[::1] negative_squares not None, const double[::1] positive_squares not None,
):
    """Return what an order of scores says, the highest first, as a dictionary."""
    cdef fl_ranking r
    cdef fl_ranking_summary s
    as_ranking(&r, negative, positive, negative_squares, positive_squares)
    with nogil:
        fl_summarise_ranking(&r, &s)
    return s
