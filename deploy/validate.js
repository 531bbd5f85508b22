// Validates CloudFormation and SAM templates with AWS's own offline rules and
// prints the findings as JSON: node validate.js '{"file": {"Parameter": "value"}}'
//
// The parameters are those of a deployment with every option on: the rules
// take a parameter's default for its value even where a condition excludes it.
const { RegoEngine, TemplateFile } = require("@aws/cloudformation-validate");

const engine = new RegoEngine();
const findings = [];
for (const [file, parameters] of Object.entries(JSON.parse(process.argv[2]))) {
  const report = engine.validateStandard(new TemplateFile(file), {
    severityLevel: "WARN",
    parameterOverrides: parameters,
  });
  if (report.status !== "OK") {
    findings.push({ file, rule: report.status, message: "the analysis did not end well" });
  }
  for (const d of report.diagnostics) {
    findings.push({ file, rule: d.ruleId, line: d.startLine, id: d.entity?.logicalId, path: d.propertyPath, message: d.message });
  }
}
engine.free();
console.log(JSON.stringify(findings));
