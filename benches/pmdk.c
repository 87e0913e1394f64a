/* The persistent programs of `benches/programs` in C on PMDK's libpmemobj, for comparison: `pmdk NAME POOL`.
 * Written as its manual advises: an object is added to a transaction once, as a whole if it is small. */
#include <libpmemobj.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST 4
#define DEEPEST 16

struct tree { PMEMoid left, right; };
struct body { double x, y, z, vx, vy, vz, mass; };
struct entry { uint64_t key, value; PMEMoid next; };
struct root {
    uint64_t n;
    PMEMoid kept, current, xs;
    int64_t perm[16], flipped[16], counts[16];
    struct body bodies[5];
    uint64_t buckets, entries;
    PMEMoid table;
};

static PMEMobjpool *pool;
static struct root *root;

static void fail(const char *what) {
    fprintf(stderr, "pmdk: %s: %s\n", what, pmemobj_errormsg());
    exit(1);
}

#define TXN(...) TX_BEGIN(pool) { __VA_ARGS__ } TX_ONABORT { fail("transaction aborted"); } TX_END

/* Trees: nodes made one by one, or in a transaction a tree. */

static int construct(PMEMobjpool *p, void *at, void *arg) {
    pmemobj_memcpy_persist(p, at, arg, sizeof(struct tree));
    return 0;
}

static PMEMoid build(int depth, int in_txn) {
    struct tree t = {OID_NULL, OID_NULL};
    if (depth > 0) {
        t.left = build(depth - 1, in_txn);
        t.right = build(depth - 1, in_txn);
    }
    PMEMoid oid;
    if (in_txn) {
        oid = pmemobj_tx_alloc(sizeof t, 1);
        memcpy(pmemobj_direct(oid), &t, sizeof t);
    } else if (pmemobj_alloc(pool, &oid, sizeof t, 1, construct, &t))
        fail("allocation");
    return oid;
}

static long count(PMEMoid oid) {
    struct tree *t = pmemobj_direct(oid);
    return OID_IS_NULL(t->left) ? 1 : 1 + count(t->left) + count(t->right);
}

static void drop(PMEMoid oid, int in_txn) {
    if (OID_IS_NULL(oid)) return;
    struct tree *t = pmemobj_direct(oid);
    drop(t->left, in_txn);
    drop(t->right, in_txn);
    if (in_txn) pmemobj_tx_free(oid);
    else pmemobj_free(&oid);
}

static void make(PMEMoid *where, int depth, int in_txn) {
    if (!in_txn) {
        drop(*where, 0);
        *where = build(depth, 0);
        pmemobj_persist(pool, where, sizeof *where);
        return;
    }
    TXN({
        drop(*where, 1);
        pmemobj_tx_add_range_direct(where, sizeof *where);
        *where = build(depth, 1);
    });
}

static void trees(int in_txn) {
    make(&root->current, DEEPEST + 1, in_txn);
    printf("stretch %ld\n", count(root->current));
    make(&root->kept, DEEPEST, in_txn);
    for (int depth = SMALLEST; depth <= DEEPEST; depth += 4) {
        int rounds = 1 << (DEEPEST - depth + SMALLEST);
        long total = 0;
        for (int i = 0; i < rounds; i++) {
            make(&root->current, depth, in_txn);
            total += count(root->current);
        }
        printf("%d trees of depth %d nodes %ld\n", rounds, depth, total);
    }
    printf("kept %ld\n", count(root->kept));
}

static void sps(void) {
    enum { N = 1000000 };
    int64_t *xs = NULL;
    TXN({
        pmemobj_tx_add_range_direct(&root->xs, sizeof root->xs);
        root->xs = pmemobj_tx_alloc(N * sizeof *xs, 2);
        xs = pmemobj_direct(root->xs);
        for (int i = 0; i < N; i++) xs[i] = i;
    });
    uint32_t seed = 1;
    TXN({
        for (int i = 0; i < N; i++) {
            seed = seed * 1664525 + 1013904223;
            int a = (seed >> 8) % N;
            seed = seed * 1664525 + 1013904223;
            int b = (seed >> 8) % N;
            pmemobj_tx_add_range_direct(&xs[a], 8);
            pmemobj_tx_add_range_direct(&xs[b], 8);
            int64_t x = xs[a];
            xs[a] = xs[b];
            xs[b] = x;
        }
    });
    int64_t sum = 0;
    for (int i = 0; i < N; i++) sum += xs[i];
    printf("%ld\n", sum);
}

static void fannkuch(void) {
    enum { N = 10 };
    int64_t *perm = root->perm, *flipped = root->flipped, *counts = root->counts;
    TXN({
        pmemobj_tx_add_range_direct(perm, N * 8);
        pmemobj_tx_add_range_direct(flipped, N * 8);
        pmemobj_tx_add_range_direct(counts, N * 8);
        for (int i = 0; i < N; i++) perm[i] = i;
        long most = 0, checksum = 0, sign = 1;
        for (int left = N, done = 0; !done;) {
            for (; left > 1; left--) counts[left - 1] = left;
            if (perm[0] != 0) {
                memcpy(flipped, perm, N * 8);
                long flips = 0;
                for (long first = flipped[0]; first != 0; first = flipped[0]) {
                    for (long i = 0, j = first; i < j; i++, j--) {
                        int64_t x = flipped[i];
                        flipped[i] = flipped[j];
                        flipped[j] = x;
                    }
                    flips++;
                }
                if (flips > most) most = flips;
                checksum += sign * flips;
            }
            sign = -sign;
            for (;;) {
                if (left == N) {
                    printf("%ld %ld\n", checksum, most);
                    done = 1;
                    break;
                }
                int64_t first = perm[0];
                for (int i = 0; i < left; i++) perm[i] = perm[i + 1];
                perm[left] = first;
                if (--counts[left] > 0) break;
                left++;
            }
        }
    });
}

#define DAYS 365.24
#define SUN (4 * M_PI * M_PI)

static double energy(const struct body *bs) {
    double e = 0;
    for (int i = 0; i < 5; i++) {
        const struct body *b = &bs[i];
        e += 0.5 * b->mass * (b->vx * b->vx + b->vy * b->vy + b->vz * b->vz);
        for (int j = i + 1; j < 5; j++) {
            double dx = b->x - bs[j].x, dy = b->y - bs[j].y, dz = b->z - bs[j].z;
            e -= b->mass * bs[j].mass / sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

static void nbody(void) {
    static const struct body start[5] = {
        {0, 0, 0, 0, 0, 0, SUN},
        {4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.00166007664274403694 * DAYS, 0.00769901118419740425 * DAYS, -0.0000690460016972063023 * DAYS, 0.000954791938424326609 * SUN},
        {8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -0.00276742510726411 * DAYS, 0.00499852801234917238 * DAYS, 0.0000230417297573763929 * DAYS, 0.000285885980666130812 * SUN},
        {12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 0.00296460137564761618 * DAYS, 0.00237847173959480950 * DAYS, -0.0000296589568540237556 * DAYS, 0.0000436624404335156298 * SUN},
        {15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.00268067772490389322 * DAYS, 0.00162824170038242295 * DAYS, -0.0000951592254519715870 * DAYS, 0.0000515138902046611451 * SUN},
    };
    struct body *bs = root->bodies;
    TXN({
        pmemobj_tx_add_range_direct(bs, sizeof start);
        memcpy(bs, start, sizeof start);
        double px = 0;
        double py = 0;
        double pz = 0;
        for (int i = 0; i < 5; i++) {
            px += bs[i].vx * bs[i].mass;
            py += bs[i].vy * bs[i].mass;
            pz += bs[i].vz * bs[i].mass;
        }
        bs[0].vx = -px / SUN;
        bs[0].vy = -py / SUN;
        bs[0].vz = -pz / SUN;
    });
    printf("%.9f\n", energy(bs));
    for (int step = 0; step < 1000000; step++) {
        TXN({
            pmemobj_tx_add_range_direct(bs, sizeof start);
            for (int i = 0; i < 5; i++) {
                struct body *b = &bs[i];
                for (int j = i + 1; j < 5; j++) {
                    struct body *c = &bs[j];
                    double dx = b->x - c->x, dy = b->y - c->y, dz = b->z - c->z;
                    double d2 = dx * dx + dy * dy + dz * dz, mag = 0.01 / (d2 * sqrt(d2));
                    b->vx -= dx * c->mass * mag;
                    b->vy -= dy * c->mass * mag;
                    b->vz -= dz * c->mass * mag;
                    c->vx += dx * b->mass * mag;
                    c->vy += dy * b->mass * mag;
                    c->vz += dz * b->mass * mag;
                }
            }
            for (int i = 0; i < 5; i++) {
                bs[i].x += 0.01 * bs[i].vx;
                bs[i].y += 0.01 * bs[i].vy;
                bs[i].z += 0.01 * bs[i].vz;
            }
        });
    }
    printf("%.9f\n", energy(bs));
}

static void counter(void) {
    for (int i = 0; i < 1000000; i++)
        TXN({
            pmemobj_tx_add_range_direct(&root->n, sizeof root->n);
            root->n++;
        });
    printf("%lu\n", root->n);
}

/* A chained hash table that doubles when it is full. */

static PMEMoid *bucket(PMEMoid table, uint64_t buckets, uint64_t key) {
    return (PMEMoid *)pmemobj_direct(table) + (key * 0x9E3779B97F4A7C15u >> 20) % buckets;
}

static void grow(uint64_t buckets) {
    PMEMoid table = pmemobj_tx_zalloc(buckets * sizeof(PMEMoid), 3);
    for (uint64_t i = 0; i < root->buckets; i++) {
        PMEMoid next;
        for (PMEMoid e = ((PMEMoid *)pmemobj_direct(root->table))[i]; !OID_IS_NULL(e); e = next) {
            struct entry *entry = pmemobj_direct(e);
            next = entry->next;
            PMEMoid *to = bucket(table, buckets, entry->key);
            pmemobj_tx_add_range_direct(&entry->next, sizeof entry->next);
            entry->next = *to;
            *to = e;
        }
    }
    if (root->buckets) pmemobj_tx_free(root->table);
    pmemobj_tx_add_range_direct(&root->buckets, sizeof root->buckets);
    pmemobj_tx_add_range_direct(&root->table, sizeof root->table);
    root->table = table;
    root->buckets = buckets;
}

static void insert(uint64_t key, uint64_t value) {
    pmemobj_tx_add_range_direct(&root->entries, sizeof root->entries);
    if (root->entries == root->buckets) grow(root->buckets ? root->buckets * 2 : 8);
    PMEMoid *at = bucket(root->table, root->buckets, key);
    for (PMEMoid e = *at; !OID_IS_NULL(e);) {
        struct entry *entry = pmemobj_direct(e);
        if (entry->key == key) {
            pmemobj_tx_add_range_direct(&entry->value, sizeof entry->value);
            entry->value = value;
            return;
        }
        e = entry->next;
    }
    PMEMoid e = pmemobj_tx_alloc(sizeof(struct entry), 4);
    *(struct entry *)pmemobj_direct(e) = (struct entry){key, value, *at};
    pmemobj_tx_add_range_direct(at, sizeof *at);
    *at = e;
    root->entries++;
}

static void hash(void) {
    uint64_t x = 1;
    for (uint64_t i = 0; i < 1000000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        TXN({ insert(x >> 20, i); });
    }
    uint64_t sum = 0;
    for (uint64_t i = 0; i < root->buckets; i++)
        for (PMEMoid e = ((PMEMoid *)pmemobj_direct(root->table))[i]; !OID_IS_NULL(e);) {
            struct entry *entry = pmemobj_direct(e);
            sum += entry->value;
            e = entry->next;
        }
    printf("%lu %lu\n", root->entries, sum);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: pmdk NAME POOL\n");
        return 2;
    }
    if (!(pool = pmemobj_create(argv[2], "bench", 1ul << 30, 0600))) fail("creating the pool");
    root = pmemobj_direct(pmemobj_root(pool, sizeof *root));
    const char *name = argv[1];
    if (!strcmp(name, "ptrees")) trees(0);
    else if (!strcmp(name, "ptreestxn")) trees(1);
    else if (!strcmp(name, "sps")) sps();
    else if (!strcmp(name, "pfannkuch")) fannkuch();
    else if (!strcmp(name, "pnbody")) nbody();
    else if (!strcmp(name, "counter")) counter();
    else if (!strcmp(name, "phash")) hash();
    else return 3;
    pmemobj_close(pool);
    return 0;
}
