#define FL_PRECISION 64
#include "rows_instance.h"
