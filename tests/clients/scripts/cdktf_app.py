"""The application around a stack of a document, as `cdktf init` leaves it to its user."""

from cdktf import App
from imports.aws.provider import AwsProvider
from stack import MyConvertedCode

app = App()
stack = MyConvertedCode(app, "ptc")
AwsProvider(stack, "aws")
app.synth()
