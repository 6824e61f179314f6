"""What the `pulumi` command does for a program, with Terraform's AWS provider at the other end.

Pulumi's own engine and its AWS plugin are no packages of PyPI or npm. What they speak is: this
serves the engine's side of it (`ResourceMonitor` and `Engine`, whose definitions come with Pulumi's
SDK) to an unmodified program with its unmodified SDK, and hands each resource of the package `aws`
to the Terraform resource that Pulumi's plugin wraps. What an AWS endpoint is asked is the same.

    pulumi_engine.py up|preview|destroy python|nodejs PROGRAM

It runs in a directory where `terraform init` was run, in the environment that Terraform needs;
`TERRAFORM` names the program. It prints one JSON object: the resources, the outputs of the stack,
and whether a preview found something to change.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

PROJECT, STACK = "documents", "test"
LAUNCHER = pathlib.Path(__file__).with_name("pulumi_program.py")


class Refused(Exception):
    """What Terraform or its provider would not do, in its own words."""


class Terraform:
    """The resources of one stack, in the root module of the current directory."""

    DECLARED = pathlib.Path("resources.tf.json")
    STATE = pathlib.Path("terraform.tfstate")
    LOOKED_UP = pathlib.Path("looked-up.tfstate")

    def __init__(self):
        self.declared = {}

    def declare(self, kind, name, arguments):
        """Writes a resource into the module and returns its address."""
        self.declared.setdefault(kind, {})[name] = arguments
        self._write(self.declared)
        return f"{kind}.{name}"

    def apply(self, *targets):
        self._run("apply", "-auto-approve", *[f"-target={target}" for target in targets])

    def has_changes(self):
        return self._run("plan", "-detailed-exitcode", allowed=(0, 2)) == 2

    def destroy(self):
        self._run("destroy", "-auto-approve")

    def attributes(self, address):
        """What the state holds of a resource; None where it holds none."""
        return self._instances(self.STATE).get(address)

    def is_settled(self):
        """Whether each resource of the state is still declared."""
        declared = {f"{kind}.{name}" for kind, names in self.declared.items() for name in names}
        return set(self._instances(self.STATE)) <= declared

    def look_up(self, kind, identity):
        """Reads a resource that another stack owns, as an import does."""
        self.LOOKED_UP.unlink(missing_ok=True)
        self._write({kind: {"looked_up": {}}})
        try:
            state = f"-state={self.LOOKED_UP}"
            self._run("import", state, f"{kind}.looked_up", identity)
        finally:
            self._write(self.declared)
        return self._instances(self.LOOKED_UP)[f"{kind}.looked_up"]

    def _write(self, resources):
        self.DECLARED.write_text(json.dumps({"resource": resources} if resources else {}))

    @staticmethod
    def _instances(state):
        if not state.exists():
            return {}
        return {
            f"{resource['type']}.{resource['name']}": resource["instances"][0]["attributes"]
            for resource in json.loads(state.read_text())["resources"]
        }

    @staticmethod
    def _run(verb, *words, allowed=(0,)):
        line = [os.environ["TERRAFORM"], verb, "-input=false", "-no-color", *words]
        ended = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        sys.stderr.write(ended.stdout + ended.stderr)
        if ended.returncode not in allowed:
            # Terraform draws a frame around what a provider says.
            raise Refused(" ".join(ended.stderr.replace("│", " ").split()))
        return ended.returncode


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def camel(name):
    return re.sub(r"_(\w)", lambda letter: letter[1].upper(), name)


def terraform_type(token):
    """`aws:ecr/pullThroughCacheRule:PullThroughCacheRule` is `aws_ecr_pull_through_cache_rule`."""
    package, module, name = token.split(":")
    if package != "aws":
        raise Refused(f"no provider for {token}")
    return f"aws_{module.split('/')[0]}_{snake(name)}"


def outputs_of(attributes):
    """A resource as a program sees it; its id travels beside it."""
    return {
        camel(name): value
        for name, value in attributes.items()
        if value is not None and name != "id"
    }


def struct(values):
    return json_format.ParseDict(values, struct_pb2.Struct())


class Monitor(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """The engine's side of one run of a program."""

    def __init__(self, terraform, is_preview):
        self.terraform, self.is_preview = terraform, is_preview
        self.resources, self.outputs, self.root = [], {}, ""

    def SupportsFeature(self, request, context):
        return resource_pb2.SupportsFeatureResponse(hasSupport=False)

    def RegisterResource(self, request, context):
        urn = self._urn(request)
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        arguments = json_format.MessageToDict(request.object)
        try:
            identity, outputs = self._settle(request, arguments)
        except Refused as refused:
            context.abort(grpc.StatusCode.UNKNOWN, str(refused))
        self._note(urn, identity, outputs)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=struct(outputs))

    def _settle(self, request, arguments):
        address = self.terraform.declare(
            terraform_type(request.type),
            request.name,
            {snake(name): value for name, value in arguments.items()},
        )
        if not self.is_preview:
            self.terraform.apply(address)
        attributes = self.terraform.attributes(address)
        if attributes is None:
            return "", arguments
        return attributes["id"], outputs_of(attributes)

    def ReadResource(self, request, context):
        urn = self._urn(request)
        try:
            found = self.terraform.look_up(terraform_type(request.type), request.id)
        except Refused as refused:
            context.abort(grpc.StatusCode.UNKNOWN, str(refused))
        self._note(urn, found["id"], outputs_of(found))
        return resource_pb2.ReadResourceResponse(urn=urn, properties=struct(outputs_of(found)))

    def RegisterResourceOutputs(self, request, context):
        if "pulumi:pulumi:Stack" in request.urn:
            self.outputs = json_format.MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def Log(self, request, context):
        if request.severity >= engine_pb2.INFO:
            print(request.message, file=sys.stderr)
        return empty_pb2.Empty()

    def GetRootResource(self, request, context):
        return engine_pb2.GetRootResourceResponse(urn=self.root)

    def SetRootResource(self, request, context):
        self.root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def _note(self, urn, identity, outputs):
        self.resources.append({"urn": urn, "id": identity, "outputs": outputs})

    @staticmethod
    def _urn(request):
        return f"urn:pulumi:{STACK}::{PROJECT}::{request.type}::{request.name}"


def command_of(language, program, address, is_preview):
    """How Pulumi's language hosts start a program."""
    flags = [f"--monitor={address}", f"--engine={address}"]
    flags += [f"--project={PROJECT}", f"--stack={STACK}"]
    if is_preview:
        flags.append("--dry-run")
    if language == "python":
        return [sys.executable, str(LAUNCHER), *flags, program]
    return ["node", "node_modules/@pulumi/pulumi/cmd/run", "--pwd=.", *flags, program]


def main(verb, language, program):
    terraform = Terraform()
    if verb == "destroy":
        terraform.destroy()
        return {}
    monitor = Monitor(terraform, verb == "preview")
    # One worker: a program's resources are settled one after the other.
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(monitor, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        line = command_of(language, program, address, monitor.is_preview)
        subprocess.run(line, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    finally:
        server.stop(None)
    if monitor.is_preview:
        changes = terraform.has_changes()
    else:
        changes = not terraform.is_settled()
        if changes:
            terraform.apply()
    return {"resources": monitor.resources, "outputs": monitor.outputs, "changes": changes}


if __name__ == "__main__":
    try:
        print(json.dumps(main(*sys.argv[1:])))
    except (Refused, subprocess.CalledProcessError) as failed:
        sys.exit(str(failed))
