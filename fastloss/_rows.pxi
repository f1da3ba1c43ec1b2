"""The row losses: a row of predictions, and a class index or a row of targets."""

cdef extern from "fastloss.h" nogil:
    ctypedef struct fl_rows_call:
        int kernel, float32
        fl_reduction reduction
        int n_threads, want_value
        size_t n_rows, n_classes
        int dense
        fl_array prediction, target, weight, value, gradient, hessian
        fl_curvature curvature
        const double *class_weight
        double label_smoothing
        int has_ignore_index
        long long ignore_index
        double gamma
        const double *alpha
        double log_base, constant, kink_width
        fl_go_on go_on
        void *context
        double total, weight_sum
        size_t bad_row, bad_column
        double bad_value
        int has_off_row
        size_t off_row
        double off_sum
    int fl_find_rows(const char *name)
    int fl_rows_takes_labels(int kernel)
    int fl_rows_takes_dense(int kernel)
    int fl_rows_has_hessian(int kernel)
    int fl_rows_has_curvature(int kernel, fl_curvature curvature)
    fl_status fl_rows(fl_rows_call *call)
    fl_status fl_rows_check(fl_rows_call *call)


cdef class Rows(Verbs):
    """A loss of rows, bound to its kernel and options."""

    cdef int kernel
    cdef bint has_ignore_index
    cdef long long ignore_index
    cdef double label_smoothing, gamma, log_base, constant
    cdef object class_weight, alpha, columns

    def __cinit__(self, *args, **kwargs):
        self.kernel = -1

    def _bind(
        self, str kernel, *, class_weight=None, double label_smoothing=0, ignore_index=None, double gamma=0,
        alpha=None, double log_base=0, double constant=0, tuple columns=(),
    ):
        """Choose the kernel and its options, once, while the object is made.

        With `columns`, what predictions have in each of them, targets are (n,) numbers.
        """
        if self.kernel >= 0:
            raise AttributeError("a loss cannot be changed after it is made")
        self.has_ignore_index = ignore_index is not None
        self.ignore_index = ignore_index if ignore_index is not None else 0
        self.label_smoothing = label_smoothing
        self.gamma = gamma
        self.log_base = log_base
        self.constant = constant
        self.columns = columns
        self.class_weight = class_weight
        self.alpha = alpha
        self.kernel = fl_find_rows(kernel.encode())
        if self.kernel < 0:
            raise ValueError(f"no kernel {kernel!r}")

    def _link(self, str kernel, y_pred, out, n_threads):
        """Apply a link function to rows of predictions."""
        cdef fl_rows_call call
        cdef cnp.ndarray z = rows_of(y_pred)
        cdef bint in_place = False
        check_slots(out, 1)
        result = output_array(out, 0, z, 2, None, None, None, None, &in_place)
        self.fill(&call, z, n_threads)
        call.kernel = fl_find_rows(kernel.encode())
        call.reduction = FL_REDUCE_NONE
        call.want_value = 0
        call.dense = 0
        call.target.data = NULL
        describe_rows(&call.gradient, <cnp.ndarray>result)
        cdef list errors = watch(&call.go_on, &call.context, call.n_rows * call.n_classes)
        with nogil:
            status = fl_rows(&call)
        if status != FL_OK:
            raise_general_status(status, errors, "y_pred", z)
            raise_rows_status(self, &call, status, None, z, None)
        return result

    def _curvatures(self):
        """Return the codes of the curvatures that the loss has, and of the one to train with."""
        found = [c for c in range(N_CURVATURES) if fl_rows_has_curvature(self.kernel, <fl_curvature>c)]
        for preferred in (FL_CURVATURE_GAUSS_NEWTON, FL_CURVATURE_MAJORIZER, FL_CURVATURE_UNIT):
            if preferred in found:
                return found, preferred

    cdef int fill(self, fl_rows_call *call, cnp.ndarray z, object n_threads) except -1:
        """What every call has: predictions, options, and no other array yet."""
        cdef int code = real_dtype(z, "y_pred")
        call.kernel = self.kernel
        call.float32 = code == FL_FLOAT32 or code == FL_FLOAT16 or code == FL_BFLOAT16
        call.n_threads = thread_count(n_threads)
        call.n_rows = <size_t>cnp.PyArray_DIM(z, 0)
        call.n_classes = <size_t>cnp.PyArray_DIM(z, 1)
        call.label_smoothing = self.label_smoothing
        call.has_ignore_index = self.has_ignore_index
        call.ignore_index = self.ignore_index
        call.gamma = self.gamma
        call.log_base = self.log_base
        call.constant = self.constant
        call.kink_width = 0
        call.curvature = FL_CURVATURE_EXACT
        call.class_weight = call.alpha = NULL
        call.weight.data = call.value.data = call.gradient.data = call.hessian.data = NULL
        describe_rows(&call.prediction, z)
        return 0

    cdef object evaluate(
        self, object y_true, object y_pred, object sample_weight, object reduction, object out,
        object n_threads, bint want_value, int n_derivatives, int curvature=FL_CURVATURE_EXACT,
        bint single=False,
    ):
        cdef fl_rows_call call
        cdef fl_status status
        cdef cnp.ndarray y, z, w = None
        cdef bint in_place = False
        cdef int target_dtype
        if self.kernel < 0:
            raise TypeError(f"{type(self).__name__} was never initialised")
        if n_derivatives == 2 and not fl_rows_has_hessian(self.kernel):
            raise TypeError(f"the Hessian of {type(self).__name__} is not diagonal: only its gradient can be had")
        z = rows_of(y_pred)
        y = as_array(y_true, "y_true")
        self.fill(&call, z, n_threads)
        call.float32 = call.float32 or single
        call.dense = target_form(self, y, z)
        target_dtype = real_dtype(y, "y_true")
        if self.columns:
            describe_column(&call.target, y, call.n_classes)
        elif call.dense:
            describe_rows(&call.target, y)
        else:
            describe(&call.target, y, target_dtype, NULL)
        if sample_weight is not None:
            w = as_array(sample_weight, "sample_weight")
            if not has_shape(w, cnp.PyArray_DIMS(z), 1):
                raise ValueError(
                    f"sample_weight has shape {(<object>w).shape}, expected {(<object>z).shape[:1]}, one for each row"
                    f"{_validation.column_hint('sample_weight', (<object>w).shape, (<object>z).shape[:1])}"
                )
            describe(&call.weight, w, real_dtype(w, "sample_weight"), NULL)
        class_weight = per_class(self.class_weight, z, "class_weight")
        alpha = per_class(self.alpha, z, "alpha")
        if class_weight is not None:
            call.class_weight = <const double *>cnp.PyArray_DATA(<cnp.ndarray>class_weight)
        if alpha is not None:
            call.alpha = <const double *>cnp.PyArray_DATA(<cnp.ndarray>alpha)
        call.reduction = <fl_reduction>reduction_code(reduction)
        call.want_value = want_value
        call.curvature = <fl_curvature>curvature
        if self.columns and curvature == FL_CURVATURE_MAJORIZER and call.n_rows:
            call.kink_width = KINK_WIDTH / len(self.columns) * typical_row_loss(self, y, z, w, n_threads)

        # The arrays to return, in the order value, gradient, Hessian.
        cdef bint stores_value = want_value and call.reduction == FL_REDUCE_NONE
        cdef int n_outputs = stores_value + n_derivatives, i, slot
        cdef object first = None, second = None, third = None
        check_slots(out, n_outputs)
        for i in range(n_outputs):
            slot = i + (not stores_value)
            result = output_array(out, i, z, 1 if slot == 0 else 2, y, w, first, second, &in_place)
            if slot == 0:
                describe(&call.value, <cnp.ndarray>result, dtype_code(<cnp.ndarray>result), NULL)
            else:
                describe_rows(&call.gradient if slot == 1 else &call.hessian, <cnp.ndarray>result)
            if i == 0:
                first = result
            elif i == 1:
                second = result
            else:
                third = result

        cdef bint computes = want_value or n_derivatives
        cdef list errors = watch(&call.go_on, &call.context, call.n_rows * call.n_classes)
        with nogil:
            status = fl_rows(&call) if computes else fl_rows_check(&call)
        if status != FL_OK:
            raise_general_status(status, errors, "y_pred", z)
            raise_rows_status(self, &call, status, y, z, w)
        if not computes:
            return call.weight_sum
        if call.has_off_row:
            warn_off_row(self, &call, None if in_place or call.float32 else z, w)
        return results(call.total if want_value and not stores_value else None, n_outputs, first, second, third)


cdef double typical_row_loss(Rows loss, object y, object z, object w, object n_threads) except *:
    """The mean loss, not weighted but for rows of weight 0, which are as if they were not there."""
    kept = None
    if w is not None and not w.min() > 0:
        kept = w != 0
        if not kept.any():
            return 0
    return loss.evaluate(y, z, kept, "mean", None, n_threads, True, 0)


cdef int describe_column(fl_array *view, cnp.ndarray y, size_t n_columns) except -1:
    """One number a row, as a matrix that has it in each column."""
    view.data = cnp.PyArray_DATA(y)
    view.dtype = <fl_dtype>dtype_code(y)
    view.swapped = not PyArray_ISNOTSWAPPED(y)
    view.n_dims = 2
    view.shape[0] = cnp.PyArray_DIM(y, 0)
    view.shape[1] = <Py_ssize_t>n_columns
    view.strides[0] = cnp.PyArray_STRIDE(y, 0)
    view.strides[1] = 0
    return 0


cdef int warn_off_row(Rows loss, fl_rows_call *call, object z, object w) except -1:
    """Warn of the first row that does not sum to 1; numbers that were float32's are judged as such."""
    row, total = call.off_row, call.off_sum
    if z is not None:
        row, total = _validation.first_off_row(z, w, row, total)
    if row is not None:
        loss._warn_off_row(row, total)
    return 0


cdef cnp.ndarray rows_of(object y_pred):
    cdef cnp.ndarray z = as_array(y_pred, "y_pred")
    if cnp.PyArray_NDIM(z) != 2 or cnp.PyArray_DIM(z, 1) == 0:
        raise ValueError(f"y_pred has shape {(<object>z).shape}, expected (n, C): a row of C numbers for each sample")
    return z


cdef int describe_rows(fl_array *view, cnp.ndarray a) except -1:
    """A matrix as it is: the C library wants its rows, wherever they lie."""
    cdef int d
    view.data = cnp.PyArray_DATA(a)
    view.dtype = <fl_dtype>dtype_code(a)
    view.swapped = not PyArray_ISNOTSWAPPED(a)
    view.n_dims = 2
    for d in range(2):
        view.shape[d] = cnp.PyArray_DIM(a, d)
        view.strides[d] = cnp.PyArray_STRIDE(a, d)
    return 0


cdef int target_form(Rows loss, cnp.ndarray y, cnp.ndarray z) except -1:
    """1 for a row of targets, 0 for class indices."""
    if loss.columns:
        check_columns(loss, y, z)
        return 1
    cdef bint labels = fl_rows_takes_labels(loss.kernel), dense = fl_rows_takes_dense(loss.kernel)
    if labels and has_shape(y, cnp.PyArray_DIMS(z), 1):
        return 0
    if dense and same_shape(y, z):
        if loss.has_ignore_index:
            raise ValueError("ignore_index needs y_true to be class indices, got rows of probabilities")
        return 1
    n, c = (<object>z).shape
    wanted = " or ".join([f"({n},) class indices"] * labels + [f"({n}, {c})"] * dense)
    raise ValueError(f"y_true has shape {(<object>y).shape}, expected {wanted} for y_pred of shape ({n}, {c})")


cdef int check_columns(Rows loss, cnp.ndarray y, cnp.ndarray z) except -1:
    """Targets (n,) of predictions with the loss's columns."""
    cdef object shape = (<object>z).shape, k = len(loss.columns)
    if shape[1] != k:
        raise ValueError(f"y_pred has shape {shape}, expected ({shape[0]}, {k}): {', '.join(loss.columns)} in each row")
    if not has_shape(y, cnp.PyArray_DIMS(z), 1):
        hint = _validation.column_hint("y_true", (<object>y).shape, shape[:1])
        raise ValueError(f"y_true has shape {(<object>y).shape}, expected {shape[:1]}, a number for each row{hint}")
    return 0


cdef object per_class(object numbers, cnp.ndarray z, str name):
    """A number for each class, from one number for all, from a sequence, or from a dict by class."""
    cdef object n_classes = (<object>z).shape[1]
    if numbers is None:
        return None
    if isinstance(numbers, float):
        return np.full(n_classes, numbers)
    if isinstance(numbers, dict):
        if max(numbers, default=0) >= n_classes:
            raise ValueError(f"{name} has class {max(numbers)}, but y_pred has {n_classes} classes: 0 to {n_classes - 1}")
        every = np.ones(n_classes)
        for k, x in numbers.items():
            every[k] = x
        return every
    if len(numbers) != n_classes:
        raise ValueError(f"{name} has {len(numbers)} numbers, but y_pred has {n_classes} classes")
    return np.array(numbers, dtype=np.float64)


cdef raise_rows_status(Rows loss, fl_rows_call *call, fl_status status, object y, object z, object w):
    if status == FL_EMPTY:
        raise ValueError("y_true and y_pred are empty: the mean of no samples is undefined")
    if status == FL_BAD_WEIGHT_SUM:
        raise ValueError(f"the weights sum to {call.weight_sum}: the mean is undefined")
    if status == FL_BAD_WEIGHT:
        raise _validation.bad_weight(w, call.bad_row)
    name = type(loss).__name__
    if status == FL_BAD_TARGET and not call.dense:
        raise _validation.bad_label(name, y, call.bad_row, call.n_classes)
    index = (call.bad_row, call.bad_column)
    if status == FL_BAD_TARGET:
        raise _validation.bad_entry(name, "y_true", y, index, call.float32)
    raise _validation.bad_entry(name, "y_pred", z, index, call.float32)
