/* Names in the files that are included once for each kernel, whose name is ROW: FL_STEP(term) is its function
 * for that stage of a row (row.h), FL_LOOP(across) a loop of its own, FL_FACT(KEEPS) a constant that follows
 * from its line in list.h. */
#ifndef FL_ROWS_NAMES_H
#define FL_ROWS_NAMES_H

#include "../names.h"

#define FL_STEP(stage) FL_PASTE(ROW, _, stage)
#define FL_LOOP(part) FL_PASTE(FL_PASTE(fl_, ROW, _), part, )
#define FL_FACT(fact) FL_PASTE(FL_PASTE(FL_, fact, _), ROW, )

#endif
