/* The hashes behind tokens. */
#include "unit.h"

#include "base/md5.h"
#include "base/murmur3.h"
#include "base/rand.h"

typedef struct vector {
    const char *key;
    int64_t token;
} vector;

/* Asked of Cassandra 5.0.6: SELECT k, token(k) FROM t, k blob. */
static const vector murmur3_vectors[] = {
    {"00", INT64_C(5048724184180415669)},
    {"80", INT64_C(-5284281814142962636)},
    {"ff", INT64_C(-4442228696663692417)},
    {"7fff80", INT64_C(-2507346135647133624)},
    {"ffffffff", INT64_C(7297452126230313552)},
    {"00000000000000ff", INT64_C(5929276160770231814)},
    {"8000000000000000", INT64_C(9204767954415360687)},
    {"ffffffffffffffffffffffffffffff", INT64_C(-2195530867418009455)},
    {"ffffffffffffffffffffffffffffffff", INT64_C(-2824192546314762522)},
    {"ffffffffffffffffffffffffffffffffff", INT64_C(-4128212798341382003)},
    {"8080808080808080808080808080808080808080808080", INT64_C(-3522030315118661842)},
    {"808080808080808080808080808080808080808080808080", INT64_C(-8379035891443890106)},
    {"80808080808080808080808080808080808080808080808080808080808080", INT64_C(2158224688659817168)},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", INT64_C(-6464197807167602253)},
    {"8a594e075a99eeb15f0cf296edeb6fbd", INT64_C(9223372036854775807)},
    {"e24f97f5f7d0034c3eea41d5acaa2a66", INT64_C(9223372036854775807)},
    {"3a3cf58e925a4f00a987bd7442c2bfc0", INT64_C(0)},
    {"af", INT64_C(325523804371938981)},
    {"cd8a", INT64_C(2948748654166625528)},
    {"ca5020", INT64_C(8030102100009628793)},
    {"b00fa7b2", INT64_C(5125633350343297736)},
    {"9695c795a1", INT64_C(5792846205474658562)},
    {"939bca84008d", INT64_C(-3005817427995466463)},
    {"e5b28acfe83c99", INT64_C(-5143187876255152026)},
    {"f75a60b043e2eb00", INT64_C(-478683511364612874)},
    {"cd0ae433a5c2d4c597", INT64_C(2094962944508534811)},
    {"bedef4fb455d9f7f5164", INT64_C(3454198699530861020)},
    {"c6289ac1e4fdac23fa25b4", INT64_C(6229921341303939571)},
    {"23f28bde43a3a94709db1193", INT64_C(-1327890513760926712)},
    {"cf92de42aef9d50f07c383299d", INT64_C(7333416119045300603)},
    {"d5c6ea950f96ba39fc82a467afe2", INT64_C(-4310444749054449469)},
    {"bdc0ee66c4d1a28a8d39c6d3fee788", INT64_C(6826381334365817543)},
    {"8a8f9e09cf8688a43bde65f98212c551", INT64_C(1747293330736769499)},
    {"b9e3f481d7b49fe39ea48495d78c879088", INT64_C(-2261331845864707341)},
    {"d547f0fc2ce0945483e16aa48b669dc18bcd", INT64_C(-4918750547952133426)},
    {"3eaaf5e7f9d6f93787420ba7c8daff9f80dfe9", INT64_C(9043934348974281262)},
    {"516f45d8a163b1444384efd74084dbb8d760f689", INT64_C(-6786289806795323968)},
    {"f6afac903044ec98f7dadf8a5cdccf548395cf61ae", INT64_C(-4201120149106783797)},
    {"849d51cfd4bd5cafd799db19cce727ff3d0b9b838cc0", INT64_C(3432062808798574958)},
    {"c2d7d4332717a8ab1dfee6bbf79197be50e3d019a3b9fa", INT64_C(1591662819070953895)},
    {"be99efbe3aeab4b63fa3e9d6a3419d9eb7b07abf641404ec", INT64_C(7707540819929975729)},
    {"89c79652bfdad7a226e56dc2a6d3afdeec28ddf8ed82b629fd", INT64_C(-4744980238941158940)},
    {"a7a4d39ef08eceb8bfdde563bc4f5af49071510bd8ce2bc6a0a4", INT64_C(-7765079018210641508)},
    {"ecb8d6c9d5fc9217d9c1ed0c05d74aa9c0a4ec8c1e9da75beafb12", INT64_C(9071541141402707856)},
    {"b2b7f172c7cff5f8af2fb8b7c58c1d79f1e6d750d2a1881bada62a98", INT64_C(7832684921579324951)},
    {"efcdb097e1e9509fe7ce22a3e43e06f39d82694de098c82cb39cc6a9e1", INT64_C(-8874425113341544759)},
    {"a4435be6f62e889f92ed474bc5e9cda27d09b0f0e0d53451ccb44865640d", INT64_C(-7496165179283925672)},
    {"6545eaa8dc9fa29087d53e01dddc5f27e7a3e108e9a43c58a1d5894afff0e8", INT64_C(5855359158164486371)},
    {"f8edd13ca9dd868deea49c23f2e5f37aca23bcd754eb24a1f4be0c90f3cbbb87", INT64_C(414230009858557905)},
    {"d0fff8678fda08b3788c9ca08c45f1abceb2bc97be3b755c8d97939217c8d82cb0", INT64_C(-4650971649841115689)},
    {"c70ea611c4ff90b8fb955954eff08378b8ffb31a5c84de860fad791b8a87ffabbff4", INT64_C(2008030721504894896)},
    {"e9b715a2f414e848cc93759e7b96bab7e71d5ae46d8cd8a9e6f7f1ae68d6c6c65dc96f", INT64_C(-9109281285052196393)},
    {"dcdcbd3dd2e6e18ebdb0a0cffa4585f34b8fe6e2b6cab786f798226eb4bfc2edfee291c7", INT64_C(7477102454275141365)},
    {"e7aabdaf4dc19d0b3d908bfe99d325d8df865fc4b9b718d220f6c3c5a28bdc85b1c278c9fe", INT64_C(6704665177887000409)},
    {"28aa9aa06a5052fd96c9ffbfad40239ef3f6e91be5c8c0d3b442d7408940caaff144c5e5a39e", INT64_C(-4309880052988277290)},
    {"639e86f791c8e8c76e4b9b80ddd28a49e6bab3c24dcf02fbb3d1eae56e81cae218863c8acff7b5", INT64_C(-6779660810274902824)},
    {"ddc3fd99f6e886a4e38dbae6c7d287aea1699bdfeee6ceb4ac9ba4b8ad23a4b605e01cd8d93af4f7", INT64_C(7229838562938146856)},
};

static void murmur3_is_that_of_the_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(murmur3_vectors); i++) {
        uint8_t key[64];
        size_t len = hex_decode(murmur3_vectors[i].key, key, sizeof key);
        int64_t hash = cqln_murmur3(key, len);
        if (hash == INT64_MIN) /* what the server keeps for itself; meta/token.h does this */
            hash = INT64_MAX;
        if (hash != murmur3_vectors[i].token)
            fail_msg("key %s: %lld", murmur3_vectors[i].key, (long long)hash);
    }
}

/* Also from a server: byte i of the key is 37 * i + 11. */
static void murmur3_of_long_keys(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        int64_t token;
    } rows[] = {{255, INT64_C(4034938573259458422)},
                {1000, INT64_C(-8219539097410823831)},
                {65535, INT64_C(4654386937917625507)}};
    uint8_t *key = malloc(65535);
    assert_non_null(key);
    for (size_t i = 0; i < 65535; i++)
        key[i] = (uint8_t)(i * 37 + 11);
    for (size_t i = 0; i < CQL_COUNT(rows); i++)
        assert_true(cqln_murmur3(key, rows[i].len) == rows[i].token);
    free(key);
}

/* The definition, a byte at a time: the tail as signed numbers. */
static uint64_t turn(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static int64_t slowly(const uint8_t *p, size_t len)
{
    const uint64_t c1 = UINT64_C(0x87c37b91114253d5), c2 = UINT64_C(0x4cf5ad432745937f);
    uint64_t h[2] = {0, 0};
    size_t blocks = len / 16, rest = len % 16;
    for (size_t b = 0; b <= blocks; b++) {
        uint64_t k[2] = {0, 0};
        size_t n = b < blocks ? 16 : rest;
        for (size_t i = 0; i < n; i++) {
            int64_t wide = b < blocks ? (int64_t)p[16 * b + i] : (int64_t)(int8_t)p[16 * b + i];
            k[i / 8] ^= (uint64_t)wide << (8 * (i % 8));
        }
        k[0] = turn(k[0] * c1, 31) * c2;
        k[1] = turn(k[1] * c2, 33) * c1;
        h[0] ^= k[0];
        if (b < blocks)
            h[0] = (turn(h[0], 27) + h[1]) * 5 + 0x52dce729;
        h[1] ^= k[1];
        if (b < blocks)
            h[1] = (turn(h[1], 31) + h[0]) * 5 + 0x38495ab5;
    }
    h[0] ^= len;
    h[1] ^= len;
    h[0] += h[1];
    h[1] += h[0];
    for (int i = 0; i < 2; i++) {
        h[i] = (h[i] ^ h[i] >> 33) * UINT64_C(0xff51afd7ed558ccd);
        h[i] = (h[i] ^ h[i] >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
        h[i] ^= h[i] >> 33;
    }
    return (int64_t)(h[0] + h[1]);
}

static void murmur3_of_ten_thousand_keys_is_the_definition(void **state)
{
    (void)state;
    cqln_rand r;
    guard g;
    uint8_t key[64];
    cqln_rand_seed(&r, 3);
    guard_init(&g, sizeof key);
    for (size_t i = 0; i < 10000; i++) {
        size_t len = i % 65;
        for (size_t k = 0; k < len; k++)
            key[k] = (uint8_t)(cqln_rand_next(&r) >> 56 | (i % 3 ? 0 : 0x80));
        if (cqln_murmur3(guard_place(&g, key, len), len) != slowly(key, len))
            fail_msg("key %zu of %zu bytes", i, len);
    }
    guard_fini(&g);
}

/* RFC 1321, section A.5, and lengths around the block. */
static void md5_is_that_of_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *digest;
    } rows[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "04364420e25c512fd958a70738aa8f72"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "668a72d5ba17f08e62dabcafad6db14b"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "693037871c4a9d3d8685018905cb530a"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "7dc2ca208106a2f703567bdff99d8981"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "c1bb4f81d892b2d57947682aeb252456"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "1bc932052302d074bdec39795fe00cf6"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "ab347a5f68c8a443cfcddc633f12c24f"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "fb98667f98096de92620b64f46e1c5b5"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "d69cb61a6ee87200676eb0d4b90edbcb"},
    };
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        uint8_t digest[16];
        cqln_md5(rows[i].text, strlen(rows[i].text), digest);
        assert_hex(digest, 16, rows[i].digest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur3_is_that_of_the_server),
        cmocka_unit_test(murmur3_of_long_keys),
        cmocka_unit_test(murmur3_of_ten_thousand_keys_is_the_definition),
        cmocka_unit_test(md5_is_that_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
