/* serve.h: the questions over HTTP, for a dashboard. */
#ifndef TRAINMETRICS_SERVE_H
#define TRAINMETRICS_SERVE_H

#include "trainmetrics/store.h"

/* Answers GET on 127.0.0.1 until a signal comes; the exit code. */
int train_serve(store *s, uint16_t port);

#endif
