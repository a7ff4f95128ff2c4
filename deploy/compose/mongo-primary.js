// Runs at each start: exits with 0 when the server is the primary of a replica set, since transactions need one. On an
// empty volume it initiates the set. (After a restart, mongod needs a moment to load its configuration, and refuses to
// initiate another set: then this fails, and is tried again.)
if (!db.hello().setName) {
  const password = require("fs").readFileSync(process.env.MONGO_INITDB_ROOT_PASSWORD_FILE, "utf8").trim();
  db.getSiblingDB("admin").auth(process.env.MONGO_INITDB_ROOT_USERNAME, password);
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
for (let attempts = 0; attempts < 50 && !db.hello().isWritablePrimary; attempts++) {
  sleep(100); // an election among one takes no longer
}
quit(db.hello().isWritablePrimary ? 0 : 1);
