# cython: language_level=3, binding=True, freethreading_compatible=True
"""The binding: NumPy arrays in, one call of the C library, NumPy arrays out."""

import math
import operator

import numpy as np

cimport cython
cimport numpy as cnp
from libc.stdint cimport uintptr_t

from fastloss import _validation

cnp.import_array()

include "_arrays.pxi"
include "_verbs.pxi"
include "_pointwise.pxi"
include "_rows.pxi"
include "_penalties.pxi"
include "_embeddings.pxi"
include "_transport.pxi"
include "_evaluation.pxi"
include "_counting.pxi"
include "_ranking.pxi"

cdef extern from "fastloss.h" nogil:
    const char *const *fl_isa_available()
    const char *fl_isa()
    int fl_isa_select(const char *name)
    int fl_threads()
    void fl_threads_set_default(int n)
    int fl_threads_local()
    void fl_threads_set_local(int n)
    int fl_has_openmp()
    void fl_stream_triad(const float *a, const float *b, float *out, size_t n, int n_threads)


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
