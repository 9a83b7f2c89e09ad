/* A zip file from anywhere: it is refused with a reason, or its entries come out with their right checksum
 * and within the limits. */
#include "fuzz.h"

#include "base/crc32.h"
#include "base/zip.h"

static void take(const cqln_zip *z, const char *name)
{
    const cql_allocator *al = cqln_alloc_default();
    char why[CQLN_ZIP_WHY] = "";
    char *text = NULL;
    size_t len = 0;
    cql_status st = cqln_zip_extract(z, al, name, &text, &len, why);
    FUZZ_CHECK((st == CQL_OK) == (text != NULL));
    if (st) {
        FUZZ_CHECK(why[0] && memchr(why, '\0', sizeof why));
        return;
    }
    FUZZ_CHECK(len <= CQLN_ZIP_ENTRY_MAX && text[len] == '\0');
    FUZZ_CHECK(len <= 1024 || len / CQLN_ZIP_RATIO_MAX <= z->len);
    (void)cqln_crc32(0, text, len);
    cqln_free(al, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cqln_zip z;
    char why[CQLN_ZIP_WHY] = "";
    uint8_t *bytes = fuzz_block(size);
    if (size)
        memcpy(bytes, data, size);
    if (cqln_zip_open(&z, bytes, size, why) == CQL_OK) {
        FUZZ_CHECK(z.entries <= CQLN_ZIP_ENTRIES_MAX && z.directory <= z.end && z.end < size);
        take(&z, "config.json");
        take(&z, "ca.crt");
        take(&z, "cert");
        take(&z, "key");
    } else {
        FUZZ_CHECK(why[0] && memchr(why, '\0', sizeof why));
    }
    free(bytes);
    return 0;
}
