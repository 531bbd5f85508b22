/**
 * LambdaAuthorizer deploys build/authorizer.zip and gives the authorizers of a REST API and an HTTP API that call it.
 *
 * What is safe to answer depends on how API Gateway caches, so the settings here must be those of `gateway` in the zip's
 * authorizer.yaml. `authctl doctor` compares the two on a live API.
 */
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import * as apigateway from "aws-cdk-lib/aws-apigateway";
import * as apigatewayv2 from "aws-cdk-lib/aws-apigatewayv2";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as iam from "aws-cdk-lib/aws-iam";
import * as kms from "aws-cdk-lib/aws-kms";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";

export interface LambdaAuthorizerProps {
  /** The zip that `make package` made. */
  readonly zip: string;
  /** ${ISSUER}, ${AUDIENCE} and whatever else authorizer.yaml refers to. */
  readonly environment: { [name: string]: string };
  /** tables.revocations, as ${REVOCATIONS_TABLE}. */
  readonly revocations: dynamodb.ITable;
  /** tables.nonces, as ${NONCES_TABLE}; needed by request signatures with replay: deny. */
  readonly nonces?: dynamodb.ITable;
  /** Every secret that authorizer.yaml names, imported ones by their complete ARNs. */
  readonly secrets?: secretsmanager.ISecret[];
  /**
   * gateway.cache_ttl; 0 to 1 hour.
   * @default 300 seconds, as there
   */
  readonly cacheTtl?: Duration;
  /**
   * The headers among gateway.identity_sources.
   * @default [Authorization], as there
   */
  readonly headers?: string[];
  /**
   * response.http_api: simple. The function then runs with authorizer-simple.yaml, which is for HTTP APIs alone.
   * @default false
   */
  readonly simple?: boolean;
  /** @default 90 days */
  readonly logRetention?: logs.RetentionDays;
  /** @default 512 */
  readonly memorySize?: number;
}

export class LambdaAuthorizer extends Construct {
  /** What API Gateway calls. Shift its traffic with CodeDeploy or by version weights. */
  readonly alias: lambda.Alias;
  readonly function: lambda.Function;
  private readonly cacheTtl: Duration;
  private readonly headers: string[];
  private readonly simple: boolean;

  constructor(scope: Construct, id: string, props: LambdaAuthorizerProps) {
    super(scope, id);
    this.cacheTtl = props.cacheTtl ?? Duration.seconds(300);
    this.headers = props.headers ?? ["Authorization"];
    this.simple = props.simple ?? false;
    if (this.cacheTtl.toSeconds() > 3600) {
      throw new Error("cacheTtl must be at most an hour: API Gateway keeps no longer");
    }
    if (this.cached && this.headers.length === 0) {
      throw new Error("headers must name at least one: with caching on they are the key of the cache");
    }

    const logGroup = new logs.LogGroup(this, "Logs", {
      retention: props.logRetention ?? logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.RETAIN, // the audit record
    });
    this.function = new lambda.Function(this, "Function", {
      description: "Authorizer of API Gateway",
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: lambda.Architecture.ARM_64,
      handler: "bootstrap",
      code: lambda.Code.fromAsset(props.zip),
      memorySize: props.memorySize ?? 512,
      timeout: Duration.seconds(10),
      tracing: lambda.Tracing.ACTIVE,
      loggingFormat: lambda.LoggingFormat.JSON,
      logGroup,
      role: this.role(props, logGroup),
      environment: {
        AUTHORIZER_CONFIG: this.simple ? "/var/task/authorizer-simple.yaml" : "/var/task/authorizer.yaml",
        REVOCATIONS_TABLE: props.revocations.tableName,
        ...(props.nonces ? { NONCES_TABLE: props.nonces.tableName } : {}),
        ...props.environment,
      },
    });
    this.alias = new lambda.Alias(this, "Live", { aliasName: "live", version: this.function.currentVersion });
  }

  /** A TOKEN authorizer: one header, and of the request nothing else. */
  tokenAuthorizer(id = "Token"): apigateway.IAuthorizer {
    this.notSimple();
    if (this.headers.length !== 1) {
      throw new Error("a TOKEN authorizer takes exactly one header: use requestAuthorizer");
    }
    return new apigateway.TokenAuthorizer(this, id, {
      handler: this.alias,
      identitySource: apigateway.IdentitySource.header(this.headers[0]),
      resultsCacheTtl: this.cacheTtl,
    });
  }

  /** A REQUEST authorizer of a REST API. */
  requestAuthorizer(id = "Request"): apigateway.IAuthorizer {
    this.notSimple();
    return new apigateway.RequestAuthorizer(this, id, {
      handler: this.alias,
      identitySources: this.headers.map((h) => apigateway.IdentitySource.header(h)),
      resultsCacheTtl: this.cacheTtl,
    });
  }

  /** An authorizer of one HTTP API, payload format 2.0. */
  httpAuthorizer(id = "Http"): apigatewayv2.IHttpRouteAuthorizer {
    const identitySource = this.headers.map((h) => `$request.header.${h}`);
    if (this.simple && this.cached) {
      // A simple answer holds for every request with the same sources: the route must be one of them.
      identitySource.push("$context.routeKey");
    }
    return new HttpRouteAuthorizer(id, this.alias, { identitySource, simple: this.simple, cacheTtl: this.cacheTtl });
  }

  private get cached(): boolean {
    return this.cacheTtl.toSeconds() > 0;
  }

  private notSimple(): void {
    if (this.simple) {
      throw new Error("simple is for HTTP APIs: a REST API needs a function of its own, without it");
    }
  }

  /** What the function may do, and no more: the managed policy for Lambda may write to any log group. */
  private role(props: LambdaAuthorizerProps, logGroup: logs.ILogGroup): iam.Role {
    const role = new iam.Role(this, "Role", { assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com") });
    const allow = (resources: string[], ...actions: string[]) => role.addToPolicy(new iam.PolicyStatement({ actions, resources }));
    allow([logGroup.logGroupArn], "logs:CreateLogStream", "logs:PutLogEvents");
    allow([props.revocations.tableArn], "dynamodb:GetItem", "dynamodb:BatchGetItem");
    if (props.nonces) {
      allow([props.nonces.tableArn], "dynamodb:PutItem");
    }
    const secrets = props.secrets ?? [];
    if (secrets.length > 0) {
      allow(secrets.map(completeArn), "secretsmanager:GetSecretValue");
    }
    // Secrets Manager and DynamoDB decrypt with a customer's key in the name of their caller.
    const decrypt = (service: string, keys: (kms.IKey | undefined)[]) => {
      for (const key of new Set(keys)) {
        if (!key) continue;
        role.addToPolicy(new iam.PolicyStatement({
          actions: ["kms:Decrypt"],
          resources: [key.keyArn],
          conditions: { StringEquals: { "kms:ViaService": `${service}.${Stack.of(this).region}.${Stack.of(this).urlSuffix}` } },
        }));
      }
    };
    decrypt("secretsmanager", secrets.map((s) => s.encryptionKey));
    decrypt("dynamodb", [props.revocations.encryptionKey, props.nonces?.encryptionKey]);
    return role;
  }
}

function completeArn(secret: secretsmanager.ISecret): string {
  if (!secret.secretFullArn) {
    throw new Error(`import ${secret.secretName} by its complete ARN: a part of it would need a wildcard in the policy`);
  }
  return secret.secretFullArn;
}

interface HttpSettings {
  readonly identitySource: string[];
  readonly simple: boolean;
  readonly cacheTtl: Duration;
}

/** As aws-cdk-lib's HttpLambdaAuthorizer, but with payload format 2.0 for IAM answers, too. */
class HttpRouteAuthorizer implements apigatewayv2.IHttpRouteAuthorizer {
  readonly authorizationType = "CUSTOM";
  private authorizer?: apigatewayv2.HttpAuthorizer;
  private api?: apigatewayv2.IHttpApi;

  constructor(private readonly id: string, private readonly handler: lambda.IFunction, private readonly settings: HttpSettings) {}

  bind(options: apigatewayv2.HttpRouteAuthorizerBindOptions): apigatewayv2.HttpRouteAuthorizerConfig {
    const api = options.route.httpApi;
    if (this.api && this.api.apiId !== api.apiId) {
      throw new Error("an authorizer belongs to one HTTP API: call httpAuthorizer for each");
    }
    if (!this.authorizer) {
      const stack = Stack.of(options.scope);
      this.api = api;
      this.authorizer = new apigatewayv2.HttpAuthorizer(options.scope, this.id, {
        httpApi: api,
        type: apigatewayv2.HttpAuthorizerType.LAMBDA,
        authorizerName: this.id,
        authorizerUri: `arn:${stack.partition}:apigateway:${stack.region}:lambda:path/2015-03-31/functions/${this.handler.functionArn}/invocations`,
        identitySource: this.settings.identitySource,
        payloadFormatVersion: apigatewayv2.AuthorizerPayloadVersion.VERSION_2_0,
        enableSimpleResponses: this.settings.simple,
        resultsCacheTtl: this.settings.cacheTtl,
      });
      this.handler.addPermission(`${this.id}MayAsk`, {
        scope: options.scope,
        principal: new iam.ServicePrincipal("apigateway.amazonaws.com"),
        sourceArn: stack.formatArn({ service: "execute-api", resource: api.apiId, resourceName: `authorizers/${this.authorizer.authorizerId}` }),
      });
    }
    return { authorizerId: this.authorizer.authorizerId, authorizationType: this.authorizationType };
  }
}
