#define FL_PRECISION 64
#include "ops_instance.h"
