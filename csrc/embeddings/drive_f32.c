#define FL_PRECISION 32
#include "drive.h"
