// The client libraries of brokers. They are loaded when a stream of their broker is opened, so that a program which trains from
// files neither needs them nor is built with them.
//
// Each header declares the functions that are used, and the few structures behind them, as the library's own header does. The
// tests compare the declarations with those headers where they are installed.

#ifndef ONEPASS_CBROKERS_H
#define ONEPASS_CBROKERS_H

#include "Hiredis.h"
#include "NATS.h"
#include "RabbitMQ.h"
#include "RdKafka.h"

#endif
