// Healthy is: the primary of the replica set, since only there are transactions. The first check on an empty
// volume makes the set. (After a restart mongod needs a moment to find its set again, and refuses to make
// another: that check fails, the next one does not.)
if (!db.hello().setName) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
for (let tries = 0; tries < 50 && !db.hello().isWritablePrimary; tries++) {
  sleep(100); // an election of one takes no longer, and the next check would come only much later
}
quit(db.hello().isWritablePrimary ? 0 : 1);
