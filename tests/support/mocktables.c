/* The system tables of the mock nodes. */
#include "mocktables.h"

#include <stdio.h>
#include <string.h>

static const size_t buffer_max = (size_t)1 << 28;

bool mock_has(cql_str text, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.len; i++)
        if (memcmp(text.ptr + i, word, n) == 0)
            return true;
    return false;
}

/* --- cells --------------------------------------------------------------------------------------- */

static void cell(cqln_writer *wr, const void *bytes, size_t len)
{
    cqln_write_u32(wr, (uint32_t)len);
    cqln_write_bytes(wr, bytes, len);
}

static void cell_or_null(cqln_writer *wr, bool there, const void *bytes, size_t len)
{
    if (there)
        cell(wr, bytes, len);
    else
        cqln_write_u32(wr, UINT32_MAX);
}

void mock_cell_text(cqln_writer *wr, const char *text)
{
    cell(wr, text, strlen(text));
}

void mock_cell_int(cqln_writer *wr, uint32_t v)
{
    uint8_t be[4];
    cqln_store_u32(be, v);
    cell(wr, be, 4);
}

/* --- system tables ------------------------------------------------------------------------------- */

static const respond_column local_columns[] = {
    {"key", CQL_TYPE_TEXT},        {"cluster_name", CQL_TYPE_TEXT}, {"data_center", CQL_TYPE_TEXT},
    {"rack", CQL_TYPE_TEXT},       {"release_version", CQL_TYPE_TEXT}, {"host_id", CQL_TYPE_UUID},
    {"schema_version", CQL_TYPE_UUID}, {"tokens", CQL_TYPE_SET},
    {"partitioner", CQL_TYPE_TEXT},    {"rpc_address", CQL_TYPE_INET}, {"rpc_port", CQL_TYPE_INT}};
static const respond_column version_columns[] = {{"schema_version", CQL_TYPE_UUID}};
static const respond_column peers_v2_columns[] = {
    {"native_address", CQL_TYPE_INET}, {"native_port", CQL_TYPE_INT},
    {"data_center", CQL_TYPE_TEXT},    {"rack", CQL_TYPE_TEXT},
    {"release_version", CQL_TYPE_TEXT}, {"host_id", CQL_TYPE_UUID},
    {"schema_version", CQL_TYPE_UUID},  {"tokens", CQL_TYPE_SET}};
static const respond_column peers_columns[] = {
    {"rpc_address", CQL_TYPE_INET},     {"data_center", CQL_TYPE_TEXT}, {"rack", CQL_TYPE_TEXT},
    {"release_version", CQL_TYPE_TEXT}, {"host_id", CQL_TYPE_UUID},
    {"schema_version", CQL_TYPE_UUID},  {"tokens", CQL_TYPE_SET}};
static const respond_column keyspace_columns[] = {{"keyspace_name", CQL_TYPE_TEXT},
                                                  {"replication", CQL_TYPE_MAP}};
static const respond_column table_columns[] = {{"keyspace_name", CQL_TYPE_TEXT},
                                               {"table_name", CQL_TYPE_TEXT}};
static const respond_column column_columns[] = {
    {"keyspace_name", CQL_TYPE_TEXT}, {"table_name", CQL_TYPE_TEXT}, {"column_name", CQL_TYPE_TEXT},
    {"type", CQL_TYPE_TEXT},          {"kind", CQL_TYPE_TEXT},       {"position", CQL_TYPE_INT}};
static const respond_column agree_columns[] = {{"native_address", CQL_TYPE_INET},
                                               {"schema_version", CQL_TYPE_UUID}};

static void send_rows(mockconn *c, int16_t stream, const respond_column *columns, uint32_t count,
                      uint32_t rows, const cqln_writer *cells, cqln_writer *out)
{
    respond_table t = {"system", "t", columns, count};
    respond_rows(out, c->version, stream, &t, true, NULL, rows,
                 (cql_str){(const char *)cells->data, cells->len});
}

static void common_cells(cqln_writer *cells, const mocknode *n)
{
    mock_cell_text(cells, n->data_center);
    mock_cell_text(cells, n->rack);
    mock_cell_text(cells, n->release ? n->release : n->max_version >= 5 ? "5.0.6" : "3.11.19");
    cell(cells, n->host_id.bytes, 16);
    cell(cells, n->schema_version.bytes, 16);
    cqln_write_u32(cells, (uint32_t)(8 + strlen(n->token))); /* a set of one text */
    cqln_write_u32(cells, 1);
    mock_cell_text(cells, n->token);
}

static void answer_planned(mockconn *c, int16_t stream, cql_str body, cqln_writer *out)
{
    respond_body(out, c->version, stream, CQLN_OP_RESULT, body.ptr, body.len);
}

static uint16_t told_port(const mocknode *n)
{
    uint16_t told = n->cluster->told_port;
    return told ? told : n->address.port;
}

static void answer_local(mockconn *c, int16_t stream, bool version_only, cqln_writer *out)
{
    const mocknode *n = c->node;
    cqln_writer cells;
    cqln_writer_init(&cells, cqln_alloc_default(), buffer_max);
    if (version_only) {
        cell(&cells, n->schema_version.bytes, 16);
        send_rows(c, stream, version_columns, 1, 1, &cells, out);
    } else {
        mock_cell_text(&cells, "local");
        mock_cell_text(&cells, n->cluster_name ? n->cluster_name : "mock cluster");
        common_cells(&cells, n);
        mock_cell_text(&cells, "org.apache.cassandra.dht.Murmur3Partitioner");
        cell(&cells, n->address.bytes, n->address.len);
        mock_cell_int(&cells, told_port(n));
        send_rows(c, stream, local_columns, CQL_COUNT(local_columns), 1, &cells, out);
    }
    cqln_writer_fini(&cells);
}

/* "class=X key=number …" as a map of texts. */
static void cell_map(cqln_writer *cells, const char *text)
{
    size_t at = cells->len;
    uint32_t pairs = 0;
    cqln_write_u32(cells, 0);
    cqln_write_u32(cells, 0);
    while (*text) {
        size_t key = strcspn(text, "="), value = strcspn(text + key + 1, " ");
        cell(cells, text, key);
        cell(cells, text + key + 1, value);
        text += key + 1 + value;
        text += *text == ' ';
        pairs++;
    }
    cqln_writer_patch_u32(cells, at, (uint32_t)(cells->len - at - 4));
    cqln_writer_patch_u32(cells, at + 4, pairs);
}

static void answer_keyspaces(mockconn *c, int16_t stream, cqln_writer *out)
{
    cqln_writer cells;
    cqln_writer_init(&cells, cqln_alloc_default(), buffer_max);
    mock_cell_text(&cells, "mock");
    cell_map(&cells, c->node->cluster->replication);
    send_rows(c, stream, keyspace_columns, CQL_COUNT(keyspace_columns), 1, &cells, out);
    cqln_writer_fini(&cells);
}

static void table_row(cqln_writer *cells, uint32_t number, bool column)
{
    char name[16];
    snprintf(name, sizeof name, "t%u", (unsigned)number);
    mock_cell_text(cells, "mock");
    mock_cell_text(cells, name);
    if (!column)
        return;
    mock_cell_text(cells, "k");
    mock_cell_text(cells, "int");
    mock_cell_text(cells, "partition_key");
    mock_cell_int(cells, 0);
}

/* What is not tables or columns is empty. */
static void answer_schema(mockconn *c, int16_t stream, bool tables, bool columns, cqln_writer *out)
{
    uint32_t rows = tables || columns ? c->node->cluster->tables : 0;
    cqln_writer cells;
    cqln_writer_init(&cells, cqln_alloc_default(), buffer_max);
    for (uint32_t i = 0; i < rows; i++)
        table_row(&cells, i, columns);
    send_rows(c, stream, columns ? column_columns : table_columns,
              columns ? CQL_COUNT(column_columns) : CQL_COUNT(table_columns), rows, &cells, out);
    cqln_writer_fini(&cells);
}

static void answer_peers(mockconn *c, int16_t stream, bool v2, bool agree, cqln_writer *out)
{
    mockcluster *mc = c->node->cluster;
    cqln_writer cells;
    uint32_t rows = 0;
    cqln_writer_init(&cells, cqln_alloc_default(), buffer_max);
    for (size_t i = 0; i < MOCK_NODES; i++) {
        const mocknode *n = &mc->nodes[i];
        if (!n->member || n == c->node)
            continue;
        rows++;
        cell(&cells, n->address.bytes, n->address.len);
        if (agree) {
            cell(&cells, n->schema_version.bytes, 16);
            continue;
        }
        if (v2)
            mock_cell_int(&cells, told_port(n));
        common_cells(&cells, n);
    }
    if (agree)
        send_rows(c, stream, agree_columns, CQL_COUNT(agree_columns), rows, &cells, out);
    else if (v2)
        send_rows(c, stream, peers_v2_columns, CQL_COUNT(peers_v2_columns), rows, &cells, out);
    else
        send_rows(c, stream, peers_columns, CQL_COUNT(peers_columns), rows, &cells, out);
    cqln_writer_fini(&cells);
}

/* --- traces ---------------------------------------------------------------------------------------- */

static const respond_column trace_columns[] = {
    {"session_id", CQL_TYPE_UUID},  {"request", CQL_TYPE_TEXT},  {"command", CQL_TYPE_TEXT},
    {"coordinator", CQL_TYPE_INET}, {"client", CQL_TYPE_INET},   {"started_at", CQL_TYPE_TIMESTAMP},
    {"duration", CQL_TYPE_INT},     {"parameters", CQL_TYPE_MAP}};
static const respond_column step_columns[] = {{"activity", CQL_TYPE_TEXT},
                                              {"thread", CQL_TYPE_TEXT},
                                              {"source", CQL_TYPE_INET},
                                              {"source_elapsed", CQL_TYPE_INT},
                                              {"event_id", CQL_TYPE_UUID}};

/* The row has two writes, the first with the coordinator and the last with the duration: it is not there, has the
 * last only, the first only, and then both. */
static void answer_trace(mockconn *c, int16_t stream, cqln_writer *out)
{
    const mocknode *n = c->node;
    unsigned look = ++c->node->cluster->session_looks;
    bool first = look >= 3, last = look == 2 || look > 3;
    cqln_writer cells;
    cqln_writer_init(&cells, cqln_alloc_default(), buffer_max);
    cell(&cells, n->host_id.bytes, 16); /* the id that was asked for is not looked at */
    cell_or_null(&cells, first, "Execute CQL3 query", 18);
    cell_or_null(&cells, first, "QUERY", 5);
    cell_or_null(&cells, first, n->address.bytes, n->address.len);
    cell_or_null(&cells, first, n->address.bytes, n->address.len);
    cell_or_null(&cells, first, "\0\0\0\0\0\0\3\350", 8);
    cell_or_null(&cells, last, "\0\0\3\11", 4);
    if (first)
        cell_map(&cells, "page_size=5000");
    else
        cell_or_null(&cells, false, NULL, 0);
    if (look == 1)
        cells.len = 0;
    send_rows(c, stream, trace_columns, CQL_COUNT(trace_columns), look > 1, &cells, out);
    cqln_writer_fini(&cells);
}

/* One, then two. */
static void answer_steps(mockconn *c, int16_t stream, cqln_writer *out)
{
    const mocknode *n = c->node;
    uint32_t rows = ++c->node->cluster->event_looks > 1 ? 2 : 1;
    cqln_writer cells;
    cqln_writer_init(&cells, cqln_alloc_default(), buffer_max);
    for (uint32_t i = 0; i < rows; i++) {
        mock_cell_text(&cells, i ? "Read 1 live row" : "Parsing");
        mock_cell_text(&cells, "ReadStage-1");
        cell(&cells, n->address.bytes, n->address.len);
        mock_cell_int(&cells, 10 + i);
        cell(&cells, n->host_id.bytes, 16);
    }
    send_rows(c, stream, step_columns, CQL_COUNT(step_columns), rows, &cells, out);
    cqln_writer_fini(&cells);
}

bool mocktables_answer(mockconn *c, int16_t stream, cql_str cql, cqln_writer *out)
{
    const mockcluster *mc = c->node->cluster;
    if (mock_has(cql, "system.local") && mc->planned_local.ptr)
        answer_planned(c, stream, mc->planned_local, out);
    else if (mock_has(cql, "system.peers") && mc->planned_peers.ptr)
        answer_planned(c, stream, mc->planned_peers, out);
    else if (mock_has(cql, "system.local"))
        answer_local(c, stream, !mock_has(cql, "*"), out);
    else if (mock_has(cql, "system.peers_v2") && c->node->peers_error)
        respond_error(out, c->version, stream, c->node->peers_error, "not now", NULL, 0);
    else if (mock_has(cql, "system.peers_v2") && !c->node->peers_v2)
        respond_error(out, c->version, stream, 0x2200, "table peers_v2 does not exist", NULL, 0);
    else if (mock_has(cql, "system.peers"))
        answer_peers(c, stream, mock_has(cql, "peers_v2"), !mock_has(cql, "*"), out);
    else if (mock_has(cql, "system_traces.sessions"))
        answer_trace(c, stream, out);
    else if (mock_has(cql, "system_traces.events"))
        answer_steps(c, stream, out);
    else if (mc->replication && (mock_has(cql, "SELECT keyspace_name, replication") ||
                                 mock_has(cql, "* FROM system_schema.keyspaces")))
        answer_keyspaces(c, stream, out);
    else if (mock_has(cql, "* FROM system_schema."))
        answer_schema(c, stream, mock_has(cql, ".tables"), mock_has(cql, ".columns"), out);
    else
        return false;
    return true;
}
