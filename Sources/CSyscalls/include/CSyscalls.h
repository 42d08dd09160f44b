#pragma once
#include "pipe.h"
#include "thread.h"
