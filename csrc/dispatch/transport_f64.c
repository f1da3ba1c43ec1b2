#define FL_PRECISION 64
#include "transport_instance.h"
