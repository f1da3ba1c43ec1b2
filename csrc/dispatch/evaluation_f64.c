#define FL_PRECISION 64
#include "evaluation_instance.h"
