/* The main program of a fuzz target in an ordinary build: runs every file of the folders or files given,
 * by default the target's own seeds, and every prefix of the short ones. Each input ends right before a
 * page that cannot be touched. */
#include "fuzz.h"
#include "guard.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

enum { MOST = 1 << 20, CUT_UP_TO = 2048 };

static unsigned inputs, files;

static void run(const uint8_t *bytes, size_t len, void *user)
{
    (void)user;
    LLVMFuzzerTestOneInput(bytes, len);
    inputs++;
}

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void run_file(const char *path)
{
    static uint8_t bytes[MOST];
    FILE *f = fopen(path, "rb");
    if (!f)
        die(path);
    size_t len = fread(bytes, 1, sizeof bytes, f);
    if (ferror(f))
        die(path);
    fclose(f);
    fprintf(stderr, "%s\n", path);
    if (len <= CUT_UP_TO)
        guard_each_cut(bytes, len, run, NULL);
    guard g;
    guard_init(&g, len);
    run(guard_place(&g, bytes, len), len, NULL);
    guard_fini(&g);
    files++;
}

static void run_folder(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        die(path);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        run_file(file);
    }
    closedir(dir);
}

static void run_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        die(path);
    if (S_ISDIR(st.st_mode))
        run_folder(path);
    else
        run_file(path);
}

/* The part behind "fuzz_" of the program's name, which may start with "lt-" before installation. */
static const char *target_name(const char *program)
{
    const char *at = strrchr(program, '/');
    at = strstr(at ? at : program, "fuzz_");
    if (!at) {
        fprintf(stderr, "%s: give a folder of inputs\n", program);
        exit(1);
    }
    return at + strlen("fuzz_");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_path(argv[i]);
    if (argc < 2) {
        char folder[4096];
        snprintf(folder, sizeof folder, "%s/tests/corpus/%s", TEST_SRCDIR, target_name(argv[0]));
        run_path(folder);
    }
    printf("%u files, %u inputs\n", files, inputs);
    if (files == 0)
        fprintf(stderr, "there is no input to replay\n");
    return files == 0;
}
