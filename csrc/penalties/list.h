/* The list of penalties. A penalty is a function of one parameter alone, so that the kernels and the driver
 * of the pointwise losses compute it, with the parameters in the place of both predictions and targets: these
 * lines stand at the end of the list in pointwise/losses_list.h, which says what the columns mean. */
#ifndef FL_PENALTIES_LIST_H
#define FL_PENALTIES_LIST_H

/* clang-format off */
#define FL_PENALTIES(X)                                                                   \
    X(l1_penalty,                ANY,             ANY,             CHEAP, 1, ONE_PASS)    \
    X(l2_penalty,                ANY,             ANY,             CHEAP, 1, ONE_PASS)    \
    X(elastic_net_penalty,       ANY,             ANY,             CHEAP, 2, ONE_PASS)
/* clang-format on */

#endif
