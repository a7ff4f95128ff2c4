// Healthy means: the primary of a replica set, since transactions need one. The first check on an empty volume
// initiates the set. (After a restart, mongod needs a moment to load its configuration, and refuses to initiate
// another set: that check fails, the next one succeeds.)
if (!db.hello().setName) {
  db.getSiblingDB("admin").auth(process.env.MONGO_INITDB_ROOT_USERNAME, process.env.MONGO_INITDB_ROOT_PASSWORD);
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
for (let attempts = 0; attempts < 50 && !db.hello().isWritablePrimary; attempts++) {
  sleep(100); // an election among one takes no longer, and the next check comes much later
}
quit(db.hello().isWritablePrimary ? 0 : 1);
