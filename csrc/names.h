/* Names made of parts that are macros. */
#ifndef FL_NAMES_H
#define FL_NAMES_H

#define FL_PASTE_(a, b, c) a##b##c
#define FL_PASTE(a, b, c) FL_PASTE_(a, b, c)

#endif
