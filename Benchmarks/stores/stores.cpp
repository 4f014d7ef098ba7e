// Measures embedded stores with the operations of a replay memory on disk. README.md in this folder has the results.
//
//   stores STORE FOLDER ITEMS PAYLOAD_BYTES REPLACEMENTS
//
// STORE is lmdb, rocksdb, sqlite-4k, sqlite-16k or sqlite-64k. Keys are positions in the stream. Fills the store with
// ITEMS payloads (their sizes uniform in 0.5 … 1.5 of PAYLOAD_BYTES), then replaces items as a reservoir does (delete one
// at random, insert the next), then draws at random with a copy of each, in batches of 128 with a commit after each batch
// of writes. Prints one JSON record. README.md has the build command.
#include <lmdb.h>
#include <rocksdb/c.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace {

void require(bool condition, const std::string &what) {
  if (condition) return;
  std::fprintf(stderr, "stores: %s\n", what.c_str());
  std::exit(1);
}

struct Store {
  virtual ~Store() = default;
  virtual void begin() = 0;
  virtual void put(uint64_t id, const void *bytes, size_t count) = 0;
  virtual void remove(uint64_t id) = 0;
  virtual void commit() = 0;
  // Copies the payload into `target`; returns its size.
  virtual size_t get(uint64_t id, char *target) = 0;
};

struct LMDB final : Store {
  MDB_env *environment = nullptr;
  MDB_dbi database = 0;
  MDB_txn *transaction = nullptr, *reader = nullptr;

  explicit LMDB(const std::string &folder) {
    mdb_env_create(&environment);
    mdb_env_set_mapsize(environment, size_t(1) << 38);
    require(mdb_env_open(environment, folder.c_str(), MDB_NORDAHEAD, 0644) == 0, "lmdb cannot be opened");
    MDB_txn *first = nullptr;
    require(mdb_txn_begin(environment, nullptr, 0, &first) == 0, "lmdb begin");
    require(mdb_dbi_open(first, nullptr, MDB_INTEGERKEY | MDB_CREATE, &database) == 0, "lmdb database");
    mdb_txn_commit(first);
  }
  ~LMDB() override {
    if (reader) mdb_txn_abort(reader);
    mdb_env_close(environment);
  }
  void begin() override {
    if (reader) mdb_txn_abort(reader), reader = nullptr;
    require(mdb_txn_begin(environment, nullptr, 0, &transaction) == 0, "lmdb begin");
  }
  void put(uint64_t id, const void *bytes, size_t count) override {
    MDB_val key{sizeof id, &id}, value{count, const_cast<void *>(bytes)};
    require(mdb_put(transaction, database, &key, &value, MDB_APPEND) == 0, "lmdb put");
  }
  void remove(uint64_t id) override {
    MDB_val key{sizeof id, &id};
    require(mdb_del(transaction, database, &key, nullptr) == 0, "lmdb delete");
  }
  void commit() override { require(mdb_txn_commit(transaction) == 0, "lmdb commit"); }
  size_t get(uint64_t id, char *target) override {
    if (!reader) mdb_txn_begin(environment, nullptr, MDB_RDONLY, &reader);
    MDB_val key{sizeof id, &id}, value{};
    require(mdb_get(reader, database, &key, &value) == 0, "lmdb get");
    std::memcpy(target, value.mv_data, value.mv_size);
    return value.mv_size;
  }
};

struct SQLite final : Store {
  sqlite3 *database = nullptr;
  sqlite3_stmt *insert = nullptr, *erase = nullptr, *select = nullptr;

  void run(const char *sql) {
    char *message = nullptr;
    require(sqlite3_exec(database, sql, nullptr, nullptr, &message) == SQLITE_OK, message ? message : sql);
  }
  SQLite(const std::string &folder, int page) {
    require(sqlite3_open((folder + "/memory.db").c_str(), &database) == SQLITE_OK, "sqlite cannot be opened");
    run(("PRAGMA page_size=" + std::to_string(page)).c_str());
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=NORMAL");
    run("PRAGMA secure_delete=ON");  // Deleted items must be removed from the file.
    run("PRAGMA cache_size=-65536");
    run("CREATE TABLE IF NOT EXISTS items(id INTEGER PRIMARY KEY, image BLOB NOT NULL)");
    sqlite3_prepare_v2(database, "INSERT INTO items VALUES(?, ?)", -1, &insert, nullptr);
    sqlite3_prepare_v2(database, "DELETE FROM items WHERE id = ?", -1, &erase, nullptr);
    sqlite3_prepare_v2(database, "SELECT image FROM items WHERE id = ?", -1, &select, nullptr);
  }
  ~SQLite() override {
    for (auto statement : {insert, erase, select}) sqlite3_finalize(statement);
    sqlite3_close(database);
  }
  void begin() override { run("BEGIN IMMEDIATE"); }
  void step(sqlite3_stmt *statement) {
    require(sqlite3_step(statement) == SQLITE_DONE, sqlite3_errmsg(database));
    sqlite3_reset(statement);
  }
  void put(uint64_t id, const void *bytes, size_t count) override {
    sqlite3_bind_int64(insert, 1, sqlite3_int64(id));
    sqlite3_bind_blob64(insert, 2, bytes, count, SQLITE_STATIC);
    step(insert);
  }
  void remove(uint64_t id) override {
    sqlite3_bind_int64(erase, 1, sqlite3_int64(id));
    step(erase);
  }
  void commit() override { run("COMMIT"); }
  size_t get(uint64_t id, char *target) override {
    sqlite3_bind_int64(select, 1, sqlite3_int64(id));
    require(sqlite3_step(select) == SQLITE_ROW, "sqlite get");
    const size_t count = size_t(sqlite3_column_bytes(select, 0));
    std::memcpy(target, sqlite3_column_blob(select, 0), count);
    sqlite3_reset(select);
    return count;
  }
};

struct RocksDB final : Store {
  rocksdb_t *database = nullptr;
  rocksdb_options_t *options = rocksdb_options_create();
  rocksdb_writeoptions_t *writing = rocksdb_writeoptions_create();
  rocksdb_readoptions_t *reading = rocksdb_readoptions_create();
  rocksdb_writebatch_t *batch = rocksdb_writebatch_create();

  explicit RocksDB(const std::string &folder) {
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    rocksdb_options_set_enable_blob_files(options, 1);
    rocksdb_options_set_min_blob_size(options, 1024);
    rocksdb_options_set_enable_blob_gc(options, 1);
    rocksdb_options_set_blob_gc_age_cutoff(options, 0.5);
    char *error = nullptr;
    database = rocksdb_open(options, folder.c_str(), &error);
    require(!error, error ? error : "");
  }
  ~RocksDB() override { rocksdb_close(database); }
  static void key(uint64_t id, char *target) {
    for (int byte = 0; byte < 8; byte++) target[byte] = char(id >> (56 - 8 * byte));
  }
  void begin() override { rocksdb_writebatch_clear(batch); }
  void put(uint64_t id, const void *bytes, size_t count) override {
    char name[8];
    key(id, name);
    rocksdb_writebatch_put(batch, name, 8, static_cast<const char *>(bytes), count);
  }
  void remove(uint64_t id) override {
    char name[8];
    key(id, name);
    rocksdb_writebatch_delete(batch, name, 8);
  }
  void commit() override {
    char *error = nullptr;
    rocksdb_write(database, writing, batch, &error);
    require(!error, error ? error : "");
  }
  size_t get(uint64_t id, char *target) override {
    char name[8], *error = nullptr;
    key(id, name);
    rocksdb_pinnableslice_t *slice = rocksdb_get_pinned(database, reading, name, 8, &error);
    require(slice && !error, "rocksdb get");
    size_t count = 0;
    const char *bytes = rocksdb_pinnableslice_value(slice, &count);
    std::memcpy(target, bytes, count);
    rocksdb_pinnableslice_destroy(slice);
    return count;
  }
};

std::unique_ptr<Store> open_store(const std::string &name, const std::string &folder) {
  if (name == "lmdb") return std::make_unique<LMDB>(folder);
  if (name == "rocksdb") return std::make_unique<RocksDB>(folder);
  require(name.rfind("sqlite-", 0) == 0, "unknown store " + name);
  return std::make_unique<SQLite>(folder, std::atoi(name.c_str() + 7) * 1024);
}

uint64_t folder_bytes(const std::string &folder) {
  uint64_t sum = 0;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(folder)) {
    struct stat status {};
    if (stat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) sum += uint64_t(status.st_blocks) * 512;
  }
  return sum;
}

uint64_t peak_resident() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return uint64_t(usage.ru_maxrss) * 1024;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Chance {  // SplitMix64
  uint64_t state;
  uint64_t next() {
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return next() % bound; }
};

}  // namespace

int main(int count, char **arguments) {
  require(count == 6, "usage: stores STORE FOLDER ITEMS PAYLOAD_BYTES REPLACEMENTS");
  const std::string name = arguments[1], folder = arguments[2];
  const size_t items = std::stoull(arguments[3]), payload = std::stoull(arguments[4]);
  const size_t replacements = std::stoull(arguments[5]), batch = 128;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);

  Chance chance{1};
  std::vector<char> bytes(2 * payload), copy(2 * payload);
  for (auto &byte : bytes) byte = char(chance.next());
  auto size = [&] { return payload / 2 + chance.below(payload); };
  std::vector<uint64_t> held, sizes;
  uint64_t next = 0, live = 0;

  auto store = open_store(name, folder);
  double start = now();
  while (held.size() < items) {
    store->begin();
    for (size_t i = 0; i < batch && held.size() < items; i++) {
      sizes.push_back(size());
      live += sizes.back();
      store->put(next, bytes.data(), sizes.back());
      held.push_back(next++);
    }
    store->commit();
  }
  const double filling = now() - start;
  const double filled_overhead = double(folder_bytes(folder)) / double(live);

  uint64_t largest = 0;
  start = now();
  for (size_t done = 0; done < replacements; done += batch) {
    store->begin();
    for (size_t i = 0; i < batch; i++) {
      const size_t slot = chance.below(items);
      store->remove(held[slot]);
      live -= sizes[slot];
      sizes[slot] = size();
      live += sizes[slot];
      store->put(next, bytes.data(), sizes[slot]);
      held[slot] = next++;
    }
    store->commit();
    if (done / batch % 16 == 0) largest = std::max(largest, folder_bytes(folder));
  }
  const double replacing = now() - start;
  const double churned_overhead = double(std::max(largest, folder_bytes(folder))) / double(live);
  const uint64_t resident_before = peak_resident();

  uint64_t sum = 0;
  const size_t draws = std::min<size_t>(20 * items, 400000);
  start = now();
  for (size_t i = 0; i < draws; i++) sum += store->get(held[chance.below(items)], copy.data());
  const double drawing = now() - start;

  store.reset();
  start = now();
  store = open_store(name, folder);
  sum += store->get(held[0], copy.data());
  const double opening = now() - start;
  std::printf(
      "{\"store\": \"%s\", \"items\": %zu, \"payload_bytes\": %zu, \"inserts_per_second\": %.0f, "
      "\"replacements_per_second\": %.0f, \"draws_per_second\": %.0f, \"disk_per_payload_byte\": %.3f, "
      "\"peak_disk_per_payload_byte_while_replacing\": %.3f, \"peak_resident_mb_before_draws\": %.0f, "
      "\"peak_resident_mb\": %.0f, \"open_seconds\": %.4f, \"checksum\": %llu}\n",
      name.c_str(), items, payload, double(items) / filling, double(replacements) / replacing,
      double(draws) / drawing, filled_overhead, churned_overhead, double(resident_before) / 1e6,
      double(peak_resident()) / 1e6, opening, static_cast<unsigned long long>(sum));
}
