#define FL_PRECISION 64
#include "embeddings_instance.h"
