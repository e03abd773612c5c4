// Answers requests with @cloud-copilot/iam-simulate: a JSON list of cases in, of lists of answers out. Its entry for requests
// that need no catalogue of actions leaves out session policies, so this asks the engine behind it.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";

const require = createRequire(process.cwd() + "/");
const within = dirname(require.resolve("@cloud-copilot/iam-simulate"));
const inner = (path) => require(join(within, path));
const { authorize } = inner("core_engine/CoreSimulatorEngine.js");
const { AwsRequestImpl } = inner("request/request.js");
const { RequestContextImpl } = inner("requestContext.js");
const { DiscoveryContextKeyConstraints } = inner("context_keys/discoveryContextKeyConstraints.js");
const { loadPolicy } = createRequire(join(within, "index.js"))("@cloud-copilot/iam-policy");

const load = (policy, name) => loadPolicy(policy, { name });
const ask = (one, [principal, action, resource, context]) => {
  const analysis = authorize({
    request: new AwsRequestImpl(principal, { resource, accountId: "111122223333" }, action, new RequestContextImpl(context)),
    sessionPolicy: one.session ? load(one.session, "session") : undefined,
    identityPolicies: one.identity.map((policy, at) => load(policy, `identity ${at}`)),
    serviceControlPolicies: one.organisation
      ? [{ orgIdentifier: "account", policies: one.organisation.map((policy, at) => load(policy, `scp ${at}`)) }]
      : [],
    resourceControlPolicies: [],
    resourcePolicy: one.resource ? load(one.resource, "resource") : undefined,
    permissionBoundaries: one.boundary ? [load(one.boundary, "boundary")] : undefined,
    vpcEndpointPolicies: undefined,
    simulationParameters: {
      simulationMode: "Strict",
      discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]),
    },
    serviceSettings: { s3: {} },
  });
  return analysis.result;
};
const answers = JSON.parse(readFileSync(0, "utf8")).map((one) =>
  one.requests.map((request) => {
    try {
      return ask(one, request);
    } catch (error) {
      return `error: ${error.message}`;
    }
  }),
);
process.stdout.write(JSON.stringify(answers));
