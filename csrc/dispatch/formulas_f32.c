#define FL_PRECISION 32
#include "formulas_instance.h"
