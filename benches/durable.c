/* The peers of `durable.pgo` in C: `durable sqlite|lmdb FILE N`. N transactions, each durable before the next: one
 * value of 1,000 is replaced. Prints the seconds taken. */
#include <lmdb.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail(const char *what) {
    fprintf(stderr, "durable: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static char key[16], value[128];

static void pick(long k, long i) {
    snprintf(key, sizeof key, "key%07ld", k);
    snprintf(value, sizeof value, "%08ld%092d", i, 0);
}

static double with_sqlite(const char *file, long n) {
    sqlite3 *db;
    sqlite3_stmt *set;
    if (sqlite3_open(file, &db) ||
        sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN;"
                         "CREATE TABLE m(k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID", 0, 0, 0) ||
        sqlite3_prepare_v2(db, "INSERT INTO m VALUES(?,?) ON CONFLICT(k) DO UPDATE SET v=excluded.v", -1, &set, 0))
        fail(sqlite3_errmsg(db));
    double start = 0;
    for (long i = -1000; i < n; i++) {
        if (i == 0) {
            if (sqlite3_exec(db, "COMMIT", 0, 0, 0)) fail(sqlite3_errmsg(db));
            start = now();
        }
        pick(i < 0 ? i + 1000 : i * 7919 % 1000, i < 0 ? 0 : i);
        sqlite3_bind_text(set, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(set, 2, value, -1, SQLITE_STATIC);
        if (sqlite3_step(set) != SQLITE_DONE) fail(sqlite3_errmsg(db));
        sqlite3_reset(set);
    }
    double taken = now() - start;
    sqlite3_finalize(set);
    sqlite3_close(db);
    return taken;
}

static void lmdb(int rc) {
    if (rc) fail(mdb_strerror(rc));
}

static double with_lmdb(const char *file, long n) {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi db;
    lmdb(mdb_env_create(&env));
    lmdb(mdb_env_set_mapsize(env, 1ul << 28));
    lmdb(mdb_env_open(env, file, MDB_NOSUBDIR, 0600));
    lmdb(mdb_txn_begin(env, 0, 0, &txn));
    lmdb(mdb_dbi_open(txn, 0, 0, &db));
    double start = 0;
    for (long i = -1000; i < n; i++) {
        if (i == 0) {
            lmdb(mdb_txn_commit(txn));
            start = now();
        }
        pick(i < 0 ? i + 1000 : i * 7919 % 1000, i < 0 ? 0 : i);
        MDB_val k = {strlen(key), key}, v = {strlen(value), value};
        if (i >= 0) lmdb(mdb_txn_begin(env, 0, 0, &txn));
        lmdb(mdb_put(txn, db, &k, &v, 0));
        if (i >= 0) lmdb(mdb_txn_commit(txn));
    }
    double taken = now() - start;
    mdb_env_close(env);
    return taken;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: durable sqlite|lmdb FILE N\n");
        return 2;
    }
    long n = atol(argv[3]);
    printf("%f\n", strcmp(argv[1], "lmdb") ? with_sqlite(argv[2], n) : with_lmdb(argv[2], n));
    return 0;
}
