/* The two texts of JSON that lead to a cluster behind a bundle: refused with a reason, or every field is what
 * it should be. */
#include "fuzz.h"

#include "base/jsonread.h"
#include "meta/astra.h"

static void check_host(const char *host)
{
    size_t len = strlen(host);
    FUZZ_CHECK(len > 0 && len < CQLN_ASTRA_HOST);
    for (size_t i = 0; i < len; i++)
        FUZZ_CHECK((unsigned char)host[i] > ' ' && (unsigned char)host[i] < 127);
}

static void check_config(cql_str text)
{
    cqln_astra_config config;
    char why[CQLN_ASTRA_WHY] = "";
    if (cqln_astra_read_config(text, &config, why) == CQL_OK) {
        check_host(config.host);
        FUZZ_CHECK(config.port > 0 && strlen(config.local_dc) < CQLN_ASTRA_NAME);
    } else {
        FUZZ_CHECK(why[0]);
    }
}

static void check_contact(cql_str text)
{
    cqln_astra_contact contact;
    char why[CQLN_ASTRA_WHY] = "";
    if (cqln_astra_read_contact(text, &contact, why) == CQL_OK) {
        check_host(contact.proxy);
        FUZZ_CHECK(contact.port > 0 && contact.count > 0 && contact.count <= CQLN_ASTRA_POINTS);
        for (size_t i = 0; i < contact.count; i++)
            for (size_t j = 0; j < i; j++)
                FUZZ_CHECK(memcmp(&contact.points[i], &contact.points[j], 16) != 0);
    } else {
        FUZZ_CHECK(why[0]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = fuzz_block(size);
    if (size)
        memcpy(bytes, data, size);
    cql_str text = {(const char *)bytes, size}, root;
    bool whole = cqln_json_check(text, &root);
    FUZZ_CHECK(!whole || (root.ptr >= text.ptr && root.ptr + root.len <= text.ptr + text.len));
    check_config(text);
    check_contact(text);
    free(bytes);
    return 0;
}
