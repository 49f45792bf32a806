// Sends batches as a server does, with mParticle's Node library: a good one, a wrong one, and both together.
//
//   node node_server.js NODE_MODULES BASE_PATH KEY SECRET

const { createRequire } = require("node:module");
const { join } = require("node:path");

const [modules, basePath, key, secret] = process.argv.slice(2);
const mParticle = createRequire(join(modules, "/"))("mparticle");

const api = new mParticle.EventsApi(new mParticle.Configuration(key, secret));
api.apiClient.basePath = basePath;

function batch(customer, name) {
  const made = new mParticle.Batch(mParticle.Batch.Environment.development);
  made.user_identities = new mParticle.UserIdentities();
  made.user_identities.customerid = customer;
  made.user_attributes = { city: "Bern", tags: ["a", "b"] };
  made.addEvent(new mParticle.AppEvent(mParticle.AppEvent.CustomEventType.navigation, name));
  return made;
}

const wrong = batch("c-3003", "wrong");
wrong.events = [{ data: {} }];

const send = (method, body) => new Promise((done) => {
  api[method](body, (error, data, response) => done(response ? response.status : String(error)));
});

(async () => {
  const told = {
    one: await send("uploadEvents", batch("c-3003", "from Node")),
    wrong: await send("uploadEvents", wrong),
    bulk: await send("bulkUploadEvents", [wrong, batch("c-3004", "from Node")]),
  };
  const stranger = new mParticle.EventsApi(new mParticle.Configuration(key, "wrong"));
  stranger.apiClient.basePath = basePath;
  told.stranger = await new Promise((done) => {
    stranger.uploadEvents(batch("c-3005", "no"), (error, data, response) => done(response.status));
  });
  console.log(JSON.stringify(told));
})();
