#define FL_PRECISION 32
#include "rows_instance.h"
