#define FL_PRECISION 32
#include "embeddings_instance.h"
