"""The pointwise losses: one prediction, one target."""

cdef extern from "fastloss.h" nogil:
    ctypedef struct fl_domain:
        double low, high
        int open_low, integral, nan_ok
    ctypedef struct fl_pointwise_call:
        int kernel
        const double *parameters
        int float32
        fl_reduction reduction
        int n_threads, want_value
        size_t n
        fl_array target, prediction, weight, value, gradient, hessian
        fl_curvature curvature
        double kink_width
        fl_go_on go_on
        void *context
        double total, weight_sum
        size_t bad_index
        double bad_value
    int fl_find_pointwise(const char *name)
    int fl_pointwise_n_parameters(int kernel)
    const fl_domain *fl_pointwise_target_domain(int kernel)
    const fl_domain *fl_pointwise_prediction_domain(int kernel)
    int fl_pointwise_has_curvature(int kernel, fl_curvature curvature)
    fl_curvature fl_pointwise_automatic_curvature(int kernel)
    int fl_pointwise_needs_kink_width(int kernel, fl_curvature curvature)
    fl_status fl_pointwise(fl_pointwise_call *call)
    fl_status fl_pointwise_check(fl_pointwise_call *call)


cdef extern from "pointwise/formula.h" nogil:
    ctypedef enum fl_cost:
        FL_COST_CHEAP, FL_COST_MEDIUM, FL_COST_HEAVY
    ctypedef struct fl_formula_step:
        pass
    ctypedef struct fl_formula_output:
        int kind, a, b, c
    ctypedef struct fl_formula_program:
        const fl_formula_step *steps
        int n_steps, n_registers
        fl_formula_output outputs[3]
    ctypedef int (*fl_formula_fn)(
        size_t n, const void *y, const void *z, const double *constants, double scale, void *value,
        double *lanes, void *gradient, void *hessian)
    ctypedef struct fl_formula:
        fl_domain target, prediction
        fl_cost cost
        const double *constants
        fl_formula_program programs[5]
        const fl_formula_fn *compiled[2]
    int fl_formula_kernel()
    const char *const *fl_formula_operations()


cdef extern from *:
    """
    extern const char fl_formula_library[];
    """
    const char *fl_formula_library


cdef extern from "<float.h>" nogil:
    float FLT_MIN, FLT_MAX


cdef int find_kernel(str kernel, tuple parameters, double *kept) except -1:
    """The index of a kernel of so many parameters, which are copied to `kept`."""
    cdef int found = fl_find_pointwise(kernel.encode())
    if found < 0 or fl_pointwise_n_parameters(found) != len(parameters):
        raise ValueError(f"no kernel {kernel!r} of {len(parameters)} parameters")
    for i, parameter in enumerate(parameters):
        kept[i] = parameter
    return found


cdef bint all_fit_float32(const double *numbers, int n):
    """Whether float32 has these among its normal numbers; otherwise the loss is computed in float64."""
    cdef int i
    cdef double size
    for i in range(n):
        size = abs(numbers[i])
        if size != 0 and not FLT_MIN <= size <= FLT_MAX:
            return False
    return True


cdef bint fits_float32(int kernel, const double *parameters):
    return all_fit_float32(parameters, fl_pointwise_n_parameters(kernel))


cdef inline const char *start_of(bytes numbers):
    return <const char *>numbers


cdef int fill_domain(fl_domain *domain, tuple ends) except -1:
    """A domain from (low, high, open_low, integral, nan_ok)."""
    domain.low, domain.high, domain.open_low, domain.integral, domain.nan_ok = ends
    return 0


def formula_operations():
    """Return the names of the operations of formulas, in the order of their numbers."""
    cdef const char *const *names = fl_formula_operations()
    cdef list found = []
    while names[0] != NULL:
        found.append(names[0].decode())
        names += 1
    return found


def formula_library():
    """Return the C that a formula's own kernel begins with."""
    return fl_formula_library.decode()


# A loss with a kink is rounded off so wide, in its mean: wider, and what remains of an almost perfect fit is no
# longer fitted; narrower, and a few rows hit by chance hold a whole leaf.
cdef double KINK_WIDTH = 0.1


cdef class Pointwise(Verbs):
    """A loss of one prediction and one target at a time, bound to its kernel and parameters."""

    cdef int kernel
    cdef bint differentiable, has_float32
    cdef double parameters_[8]
    cdef const double *given  # those parameters, or the formula
    cdef fl_formula formula
    cdef object programs  # what the formula points to
    cdef tuple columns, column_weights

    def __cinit__(self, *args, **kwargs):
        self.kernel = -1
        self.columns = self.column_weights = ()

    def _bind(self, str kernel, tuple parameters=(), bint differentiable=True):
        """Choose the kernel and its parameters, once, while the object is made."""
        if self.kernel >= 0:
            raise AttributeError("a loss cannot be changed after it is made")
        self.differentiable = differentiable
        self.kernel = find_kernel(kernel, parameters, self.parameters_)
        self.given = self.parameters_
        self.has_float32 = fits_float32(self.kernel, self.parameters_)

    def _bind_formula(self, tuple targets, tuple predictions, int cost, bytes constants, list programs):
        """Choose the programs of a formula, once, while the object is made.

        A program is made of its steps' bytes, the number of registers and four numbers for each output.
        """
        if self.kernel >= 0:
            raise AttributeError("a loss cannot be changed after it is made")
        self.programs = (constants, programs)
        fill_domain(&self.formula.target, targets)
        fill_domain(&self.formula.prediction, predictions)
        self.formula.cost = <fl_cost>cost
        self.formula.constants = <const double *>start_of(constants)
        for i, (steps, n_registers, outputs) in enumerate(programs):
            self.formula.programs[i].steps = <const fl_formula_step *>start_of(steps)
            self.formula.programs[i].n_steps = <int>(len(steps) // sizeof(fl_formula_step))
            self.formula.programs[i].n_registers = n_registers
            for k, (kind, a, b, c) in enumerate(outputs):
                self.formula.programs[i].outputs[k] = fl_formula_output(kind, a, b, c)
        self.given = <const double *>&self.formula
        self.differentiable = True
        self.has_float32 = all_fit_float32(self.formula.constants, <int>(len(constants) // sizeof(double)))
        self.kernel = fl_formula_kernel()

    def _bind_compiled(self, size_t of_float32, size_t of_float64):
        """Let functions at these addresses run a formula's programs, or none, where they are 0."""
        self.formula.compiled[0] = <const fl_formula_fn *>of_float32
        self.formula.compiled[1] = <const fl_formula_fn *>of_float64

    def _is_compiled(self):
        """Tell whether such functions do."""
        return self.formula.compiled[0] != NULL

    def _bind_columns(self, tuple columns, tuple weights=()):
        """Let a loss of its own compute each column of matrices, of which this one has the kernel of the first.

        Columns may have weights, which the samples' are times.
        """
        if self.columns:
            raise AttributeError("a loss cannot be changed after it is made")
        self.columns = columns
        self.column_weights = weights

    def _n_columns(self):
        """Return how many columns targets and predictions must have, 0 where they may have any shape."""
        return len(self.columns)

    def _map(self, y_pred, out, n_threads):
        """Apply a kernel that has no target to each prediction."""
        z = as_array(y_pred, "y_pred")
        y = np.broadcast_to(np.float64(0), (<object>z).shape)
        return self.evaluate(y, z, None, "none", out, n_threads, True, 0)

    def _domains(self):
        """Return the domains of target and prediction, as tuples (low, high, open_low, integral)."""
        cdef const fl_domain *y = &self.formula.target
        cdef const fl_domain *z = &self.formula.prediction
        if self.kernel != fl_formula_kernel():
            y = fl_pointwise_target_domain(self.kernel)
            z = fl_pointwise_prediction_domain(self.kernel)
        return (
            (y.low, y.high, bool(y.open_low), bool(y.integral)),
            (z.low, z.high, bool(z.open_low), bool(z.integral)),
        )

    def _curvatures(self):
        """Return the codes of the curvatures that the loss has, and of the one to train with."""
        found = [c for c in range(N_CURVATURES) if fl_pointwise_has_curvature(self.kernel, <fl_curvature>c)]
        return found, <int>fl_pointwise_automatic_curvature(self.kernel)

    cdef object evaluate(
        self, object y_true, object y_pred, object sample_weight, object reduction, object out,
        object n_threads, bint want_value, int n_derivatives, int curvature=FL_CURVATURE_EXACT,
        bint single=False,
    ):
        cdef fl_pointwise_call call
        cdef fl_status status
        cdef int order[64]
        cdef int code, n_dims
        cdef cnp.ndarray y, z, w = None
        cdef bint in_place = False
        if self.kernel < 0:
            raise TypeError(f"{type(self).__name__} was never initialised")
        if self.columns:
            return evaluate_columns(
                self, y_true, y_pred, sample_weight, reduction, out, n_threads, want_value, n_derivatives,
                curvature, single,
            )
        if n_derivatives and not self.differentiable:
            raise TypeError(f"{type(self).__name__} is not differentiable: it has no gradient and no Hessian")
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

        call.float32 = self.has_float32 and (
            single or code == FL_FLOAT32 or code == FL_FLOAT16 or code == FL_BFLOAT16
        )
        call.kernel = self.kernel
        call.parameters = self.given
        call.reduction = <fl_reduction>reduction_code(reduction)
        call.n_threads = thread_count(n_threads)
        call.want_value = want_value
        call.curvature = <fl_curvature>curvature
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
        check_slots(out, n_outputs)
        for i in range(n_outputs):
            result = output_array(out, i, z, n_dims, y, w, first, second, &in_place)
            if i == 0:
                first = result
            elif i == 1:
                second = result
            else:
                third = result
            describe(views[i], <cnp.ndarray>result, dtype_code(<cnp.ndarray>result), order)

        cdef list errors = watch(&call.go_on, &call.context, call.n)
        if not want_value and not n_derivatives:
            call.weight_sum = 0
            with nogil:
                status = fl_pointwise_check(&call)
            if status != FL_OK:
                raise_status(self, &call, status, errors, y, z, w, order)
            return call.weight_sum
        if curvature and fl_pointwise_needs_kink_width(self.kernel, <fl_curvature>curvature):
            call.kink_width = KINK_WIDTH * typical_loss(self, y, z, w, n_threads) if call.n else 0
        if call.n < KEEP_GIL_BELOW:
            status = fl_pointwise(&call)
        else:
            with nogil:
                status = fl_pointwise(&call)
        if status != FL_OK:
            raise_status(self, &call, status, errors, y, z, w, order)
        return results(call.total if want_value and not stores_value else None, n_outputs, first, second, third)


# So many numbers of a matrix whose columns have losses of their own stay in a cache from column to column.
cdef Py_ssize_t COLUMNS_AT_ONCE = 1 << 15


cdef object evaluate_columns(
    Pointwise loss, object y_true, object y_pred, object sample_weight, object reduction, object out,
    object n_threads, bint want_value, int n_derivatives, int curvature, bint single,
):
    """Column by column, each by its own loss, some rows at a time."""
    cdef cnp.ndarray z = as_array(y_pred, "y_pred"), y = as_array(y_true, "y_true"), w = None
    cdef Pointwise one = loss.columns[0]
    cdef bint in_place = False, stores_value
    cdef int code = reduction_code(reduction), i, n_outputs
    cdef Py_ssize_t start, step = max(1, COLUMNS_AT_ONCE // len(loss.columns))
    cdef list outputs = [], values = []
    if cnp.PyArray_NDIM(z) != 2 or cnp.PyArray_DIM(z, 1) != len(loss.columns):
        raise ValueError(
            f"y_pred has shape {(<object>z).shape}, expected (n, {len(loss.columns)}): a column for each label's weight"
        )
    # Everything is checked by the first loss, whose domains are those of all.
    total = one.evaluate(y, z, sample_weight, "sum", None, n_threads, False, 0)
    if sample_weight is not None:
        w = as_array(sample_weight, "sample_weight")
    if loss.column_weights:
        total = total_of_columns(loss, w, cnp.PyArray_DIM(z, 0))
    if not want_value and not n_derivatives:
        return total
    if code == FL_REDUCE_MEAN and not total > 0:
        if cnp.PyArray_SIZE(z) == 0:
            raise ValueError("y_true and y_pred are empty: the mean of no samples is undefined")
        what = "the weights sum" if loss.column_weights else "sample_weight sums"
        raise ValueError(f"{what} to {total}: the mean is undefined")
    stores_value = want_value and code == FL_REDUCE_NONE
    n_outputs = stores_value + n_derivatives
    check_slots(out, n_outputs)
    for i in range(n_outputs):
        first = outputs[0] if i > 0 else None
        outputs.append(output_array(out, i, z, 2, y, w, first, outputs[1] if i > 1 else None, &in_place))
    for start in range(0, cnp.PyArray_DIM(z, 0), step):
        rows = slice(start, start + step)
        for k, one in enumerate(loss.columns):
            of_rows = weights_in_column(loss, w, rows, k, z)
            found = one.evaluate(
                y[rows, k], z[rows, k], of_rows, "none" if stores_value else "sum",
                tuple([a[rows, k] for a in outputs]) or None, n_threads, want_value, n_derivatives, curvature, single,
            )
            if want_value and not stores_value:
                values.append(found[0] if n_outputs else found)
    if code == FL_REDUCE_MEAN:
        for derivative in outputs:
            np.multiply(derivative, 1 / total, out=derivative, casting="same_kind")
    value = None
    if want_value and not stores_value:
        value = math.fsum(values) if all(map(math.isfinite, values)) else sum(values)
        value = value / total if code == FL_REDUCE_MEAN else value
    outputs += [None] * (3 - n_outputs)
    return results(value, n_outputs, outputs[0], outputs[1], outputs[2])


cdef object weights_in_column(Pointwise loss, object w, object rows, int k, object z):
    """The weights of some rows in one column."""
    of_rows = None if w is None else w[rows] if w.ndim == 1 else w[rows, k]
    if not loss.column_weights:
        return of_rows
    if of_rows is None:
        return np.broadcast_to(np.float64(loss.column_weights[k]), z[rows].shape[:1])
    return np.multiply(of_rows, loss.column_weights[k], dtype=np.float64)


cdef double total_of_columns(Pointwise loss, object w, Py_ssize_t n) except *:
    """The sum of all weights where columns have some."""
    if w is None:
        return n * math.fsum(loss.column_weights)
    sums = np.broadcast_to(w.T, (len(loss.column_weights), n)).sum(axis=1, dtype=np.float64)
    return float(sums @ loss.column_weights)


cdef double typical_loss(Pointwise loss, object y, object z, object w, object n_threads) except *:
    """The mean loss, not weighted but for samples of weight 0, which are as if they were not there."""
    kept = None
    if w is not None and not w.min() > 0:
        kept = w != 0
        if not kept.any():
            return 0
    return loss.evaluate(y, z, kept, "mean", None, n_threads, True, 0)


cdef raise_status(
    Pointwise loss, fl_pointwise_call *call, fl_status status, list errors, object y, object z, object w,
    const int *order,
):
    raise_general_status(status, errors, "y_pred", z)
    if status == FL_EMPTY:
        raise ValueError("y_true and y_pred are empty: the mean of no samples is undefined")
    if status == FL_BAD_WEIGHT_SUM:
        raise ValueError(f"sample_weight sums to {call.weight_sum}: the mean is undefined")
    axes = [order[d] for d in range(z.ndim)] if z.ndim > 1 else [0]
    index = _validation.index_in_order(z.shape, axes, call.bad_index)
    if status == FL_BAD_WEIGHT:
        raise _validation.bad_weight(w, index)
    targets, predictions = loss._domains()
    if status == FL_BAD_TARGET:
        raise _validation.outside_domain(type(loss).__name__, "y_true", y, index, targets)
    raise _validation.outside_domain(type(loss).__name__, "y_pred", z, index, predictions)
