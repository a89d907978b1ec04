/* What the files of this folder share: store.c writes rows, run.c runs one saga, resume.c finds sagas and has the threads. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "saga.h"
#include "saga_queries.h"

/* One runner thread: the session that holds the lock, and what it works on. */
struct saga_thread {
    struct saga_runner *runner;
    pthread_t thread;
    struct db db;        /* Kept for the thread's life; results in the arena of the saga in work. */
    char id[64];         /* In work, or "". Under the runner's mutex. */
    _Atomic bool cancel; /* The saga in work was asked to stop. */
};

struct saga_runner {
    struct db_pool *pool; /* The service's. */
    struct db_pool *own;  /* A connection for each thread and one for the watch. */
    const struct saga *const *table;
    size_t count;
    void *service;
    struct texts known;  /* "name/version" of each in the table. */
    struct arena *arena; /* For 'known'. */
    unsigned threads_count;
    struct saga_thread *threads;
    pthread_t watch;
    bool watching; /* The watch was started. */

    _Atomic uint64_t done, failed, retried;
    _Atomic int64_t open;

    pthread_mutex_t mutex;
    pthread_cond_t wake;             /* For threads: something may be due. */
    pthread_cond_t look;             /* For the watch: somebody may have been cancelled. */
    pthread_cond_t ended;            /* For saga_wait(). */
    unsigned work GUARDED_BY(mutex); /* Commits not looked after yet. */
    bool has_cancelled GUARDED_BY(mutex);
    bool closing GUARDED_BY(mutex);
};

enum saga_result {
    SAGA_ENDED,
    SAGA_LATER, /* A retry, or the runner closes. */
    SAGA_LOST,  /* The session or the database went away: somebody goes on from the row. */
};

/* Runs what the thread has taken, step by step. In run.c. */
enum saga_result saga_run_steps(struct saga_thread *t, const struct saga *saga,
                                struct saga_row *row, struct arena *a);

bool saga_runner_closing(struct saga_runner *r);

/* 1: taken, locked; 0: nothing is due; negative: the database. In store.c. */
int saga_store_take(struct saga_runner *r, struct db *db, struct saga_row *ret, struct fault *f);
void saga_store_release(struct db *db, const char *id);
