#define FL_PRECISION 64
#include "drive.h"
