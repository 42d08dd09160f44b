#pragma once
#include "pipe.h"
