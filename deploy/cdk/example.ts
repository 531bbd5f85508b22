/**
 * The items routes behind a REST API and an HTTP API, with the authorizer in front of both:
 *
 *   make package && npm ci --prefix deploy
 *   npm --prefix deploy exec -- tsc -p deploy/cdk && npx cdk deploy -a 'node deploy/cdk/build/example.js'
 *
 * The code is compiled to below deploy/, where node finds deploy/node_modules.
 */
import { App, RemovalPolicy, SecretValue, Stack, StackProps } from "aws-cdk-lib";
import * as apigateway from "aws-cdk-lib/aws-apigateway";
import * as apigatewayv2 from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as kms from "aws-cdk-lib/aws-kms";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { LambdaAuthorizer } from "./lambda-authorizer";

interface ExampleProps extends StackProps {
  readonly zip: string;
  readonly simple: boolean;
}

class Example extends Stack {
  private key?: kms.Key;

  constructor(scope: Construct, id: string, props: ExampleProps) {
    super(scope, id, props);
    const shared = {
      zip: props.zip,
      revocations: this.revocations(),
      nonces: this.table("Nonces"),
      secrets: [this.secret("api-keys"), this.secret("signing-keys")],
      environment: { ISSUER: "https://idp.example.com/", AUDIENCE: "https://api.example.com" },
    };
    const rest = new LambdaAuthorizer(this, "RestAuthorizer", shared);
    const http = props.simple ? new LambdaAuthorizer(this, "HttpAuthorizer", { ...shared, simple: true }) : rest;
    const backend = this.backend();
    this.restApi(backend, rest.tokenAuthorizer());
    this.httpApi(backend, http.httpAuthorizer());
  }

  private restApi(backend: lambda.IFunction, authorizer: apigateway.IAuthorizer): void {
    const api = new apigateway.RestApi(this, "Rest", {
      cloudWatchRole: false, // the account's, made once elsewhere
      deployOptions: { stageName: "prod", tracingEnabled: true, throttlingRateLimit: 1000, throttlingBurstLimit: 500 },
      defaultIntegration: new apigateway.LambdaIntegration(backend, { allowTestInvoke: false }),
      defaultMethodOptions: { authorizer, authorizationType: apigateway.AuthorizationType.CUSTOM },
    });
    const items = api.root.addResource("items");
    const item = items.addResource("{id}");
    for (const method of ["GET", "POST"]) items.addMethod(method);
    for (const method of ["GET", "PUT", "PATCH", "DELETE"]) item.addMethod(method);
    // Public: no authorizer, in so many words.
    api.root.addResource("health").addMethod("GET", undefined, { authorizationType: apigateway.AuthorizationType.NONE });
  }

  private httpApi(backend: lambda.IFunction, authorizer: apigatewayv2.IHttpRouteAuthorizer): void {
    const api = new apigatewayv2.HttpApi(this, "HttpApi", { defaultAuthorizer: authorizer });
    const integration = new HttpLambdaIntegration("Items", backend);
    const { GET, POST, PUT, PATCH, DELETE } = apigatewayv2.HttpMethod;
    api.addRoutes({ path: "/items", methods: [GET, POST], integration });
    api.addRoutes({ path: "/items/{id}", methods: [GET, PUT, PATCH, DELETE], integration });
    api.addRoutes({ path: "/health", methods: [GET], integration, authorizer: new apigatewayv2.HttpNoneAuthorizer() });
  }

  private table(id: string): dynamodb.Table {
    return new dynamodb.Table(this, id, {
      partitionKey: { name: "pk", type: dynamodb.AttributeType.STRING },
      timeToLiveAttribute: "expires_at",
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: dynamodb.TableEncryption.AWS_MANAGED,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /** authctl writes the records. */
  private secret(name: string): secretsmanager.Secret {
    this.key ??= new kms.Key(this, "Key", { enableKeyRotation: true, description: "Secrets of the authorizer" });
    return new secretsmanager.Secret(this, name, {
      secretName: `${this.stackName}/${name}`,
      secretStringValue: SecretValue.unsafePlainText('{"keys": {}}'), // no secret yet
      encryptionKey: this.key,
      // One that a failed first deployment left behind would have the name that the next one wants.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
  }

  private revocations(): dynamodb.Table {
    const table = this.table("Revocations");
    table.addGlobalSecondaryIndex({
      indexName: "kind-index",
      partitionKey: { name: "kind", type: dynamodb.AttributeType.STRING },
      sortKey: { name: "revoked_at", type: dynamodb.AttributeType.NUMBER },
    });
    return table;
  }

  /** Stands for your own service. It refuses what comes without an authorizer's context. */
  private backend(): lambda.Function {
    return new lambda.Function(this, "Backend", {
      runtime: lambda.Runtime.NODEJS_22_X,
      handler: "index.handler",
      code: lambda.Code.fromInline(
        "exports.handler = async (event) => {\n" +
        "  if ((event.rawPath ?? event.path) === '/health') return { statusCode: 200 };\n" +
        "  const caller = event.requestContext.authorizer?.lambda ?? event.requestContext.authorizer;\n" +
        "  return caller?.principal ? { statusCode: 200, body: '[]' } : { statusCode: 500 };\n" +
        "};\n",
      ),
    });
  }
}

const app = new App();
const zip = app.node.tryGetContext("zip") ?? `${__dirname}/../../../build/authorizer.zip`;
new Example(app, "AuthorizerExample", { zip, simple: false });
new Example(app, "AuthorizerExampleSimple", { zip, simple: true });
