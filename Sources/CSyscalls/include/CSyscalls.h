#pragma once
#include "pipe.h"
#include "signals.h"
#include "thread.h"
#include "linux.h"
#include "closefrom.h"
#include "random.h"
