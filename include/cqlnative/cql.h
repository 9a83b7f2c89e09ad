/* cql.h: everything a program usually needs. uv.h, schema.h, migrate.h, jobs.h, writer.h, outbox.h and
 * metadata.h are included by those who use them. */
#ifndef CQLNATIVE_CQL_H
#define CQLNATIVE_CQL_H

#include <cqlnative/auth.h>
#include <cqlnative/base.h>
#include <cqlnative/error.h>
#include <cqlnative/events.h>
#include <cqlnative/fields.h>
#include <cqlnative/metrics.h>
#include <cqlnative/options.h>
#include <cqlnative/pages.h>
#include <cqlnative/policy.h>
#include <cqlnative/profile.h>
#include <cqlnative/result.h>
#include <cqlnative/routing.h>
#include <cqlnative/session.h>
#include <cqlnative/setters.h>
#include <cqlnative/statement.h>
#include <cqlnative/time.h>
#include <cqlnative/tls.h>
#include <cqlnative/trace.h>
#include <cqlnative/types.h>
#include <cqlnative/uuid.h>
#include <cqlnative/value.h>
#include <cqlnative/version.h>

#endif
