#define FL_PRECISION 64
#include "formulas_instance.h"
