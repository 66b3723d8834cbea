// Reads a world as Google's own Node clients see it, over gRPC and over REST; prints one JSON document.
import { BigQuery } from "@google-cloud/bigquery";
import { CloudBillingClient } from "@google-cloud/billing";
import { FoldersClient, OrganizationsClient, ProjectsClient } from "@google-cloud/resource-manager";
import { ServiceUsageClient } from "@google-cloud/service-usage";
import { OAuth2Client } from "google-auth-library";

const env = process.env;
const project = "projects/acme-analytics";
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: env.GOOGLE_OAUTH_ACCESS_TOKEN });

const rest = new URL(env.PREFLIGHT_REST_ENDPOINT);
const [host, port] = env.PREFLIGHT_GRPC_ENDPOINT.split(":");
const TRANSPORTS = {
  grpc: { apiEndpoint: host, port: Number(port), authClient },
  rest: { apiEndpoint: rest.hostname, port: Number(rest.port), protocol: "http", fallback: true, authClient },
};

// What a call answers, or its error's code.
async function outcome(call) {
  try {
    return (await call)[0];
  } catch (error) {
    return { refused: error.code };
  }
}

async function read(options) {
  const projects = new ProjectsClient(options);
  const folders = new FoldersClient(options);
  const organizations = new OrganizationsClient(options);
  const billing = new CloudBillingClient(options);
  const services = new ServiceUsageClient(options);
  const policy = (client, resource) =>
    outcome(client.getIamPolicy({ resource, options: { requestedPolicyVersion: 3 } }));

  const found = await outcome(projects.getProject({ name: project }));
  const folder = await outcome(folders.getFolder({ name: env.FOLDER }));
  return {
    project: found,
    folder,
    policies: {
      project: await policy(projects, project),
      folder: await policy(folders, env.FOLDER),
      organization: await policy(organizations, env.ORGANIZATION),
    },
    permissions: await outcome(
      projects.testIamPermissions({ resource: project, permissions: ["bigquery.datasets.create", "bigquery.datasets.get"] }),
    ),
    billing: await outcome(billing.getProjectBillingInfo({ name: project })),
    service: await outcome(services.getService({ name: `${project}/services/bigquery.googleapis.com` })),
    enabled: await outcome(services.listServices({ parent: project, filter: "state:ENABLED" })),
  };
}

async function readDatasets() {
  const bigquery = new BigQuery({
    projectId: "acme-analytics",
    apiEndpoint: env.PREFLIGHT_REST_ENDPOINT,
    authClient,
    autoRetry: false,
  });
  const [listed] = await bigquery.getDatasets();
  const datasets = {};
  for (const dataset of listed) {
    const metadata = await outcome(dataset.getMetadata());
    const tables = await outcome(dataset.getTables());
    datasets[dataset.id] = { metadata, tables: tables.refused ? tables : tables.map((table) => table.id) };
  }
  return { datasets, absent: await outcome(bigquery.dataset("no_such").getMetadata()) };
}

const told = { bigquery: await readDatasets() };
for (const [name, options] of Object.entries(TRANSPORTS)) {
  told[name] = await read(options);
}
console.log(JSON.stringify(told));
process.exit(0); // clients keep connections open
