#define FL_PRECISION 32
#include "ops_instance.h"
