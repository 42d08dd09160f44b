#pragma once
#include <sys/random.h>
