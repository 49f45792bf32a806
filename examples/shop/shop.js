// A shop that knows nothing of idsync: the mParticle web SDK is told another domain, and that is all.
//
// The page takes its settings from its address: ?server=localhost:8080&key=shop-web&https=no

const settings = new URLSearchParams(location.search);
const server = settings.get("server") || "localhost:8080";
const key = settings.get("key") || "shop-web";
const at = (id) => document.getElementById(id);

window.mParticle.init(key, {
  domain: server, // every request goes there
  forceHttps: settings.get("https") !== "no", // without https the SDK sends all but aliases
  isDevelopmentMode: true,
  requestConfig: false, // the settings below are all there are
  workspaceToken: "shop",
  flags: { eventBatchingIntervalMillis: "1000" },
  identityCallback: show,
  logLevel: "warning",
});
window.mParticle.ready(() => show());

function show(result) {
  const user = window.mParticle.Identity.getCurrentUser();
  if (user) {
    const identities = user.getUserIdentities().userIdentities;
    const name = identities.email || identities.customerid;
    at("mpid").textContent = user.getMPID();
    at("logged-in").textContent = user.isLoggedIn() ? "yes" : "no";
    at("identities").textContent = JSON.stringify(identities);
    at("greeting").textContent = user.isLoggedIn() ? `Hello, ${name}` : "Hello, visitor";
    at("logout").hidden = !user.isLoggedIn();
  }
  if (result) {
    at("answer").textContent = `${result.httpCode} ${JSON.stringify(result.body)}`;
    at("problem").textContent = result.httpCode === 200 ? "" : "That did not work.";
  }
}

document.querySelectorAll("[data-product]").forEach((button) => {
  button.addEventListener("click", () => {
    const { product, price } = button.dataset;
    const made = window.mParticle.eCommerce.createProduct(product, product, Number(price), 1);
    window.mParticle.eCommerce.logProductAction(
      window.mParticle.ProductActionType.Purchase, [made], {}, {},
      { Id: `order-${Date.now()}`, Revenue: Number(price) },
    );
  });
});

at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const { customer, email } = event.target.elements;
  const visitor = window.mParticle.Identity.getCurrentUser();
  const userIdentities = { customerid: customer.value };
  if (email.value) userIdentities.email = email.value;
  window.mParticle.Identity.login({ userIdentities }, (result) => {
    show(result);
    const user = result.getUser && result.getUser();
    if (user && visitor && user.getMPID() !== visitor.getMPID() && !visitor.isLoggedIn()) {
      // What the visitor did in this browser is the customer's, too.
      const request = window.mParticle.Identity.createAliasRequest(visitor, user);
      window.mParticle.Identity.aliasUsers(request, (aliased) => {
        at("answer").textContent += ` alias ${aliased.httpCode}`;
      });
    }
  });
});

at("change").addEventListener("submit", (event) => {
  event.preventDefault();
  const email = event.target.elements.email.value;
  window.mParticle.Identity.modify({ userIdentities: { email } }, show);
});

at("logout").addEventListener("click", () => window.mParticle.Identity.logout({}, show));
