"""Which elements are read at all; whatever a header holds besides them is never looked at."""

from typing import Final

PIXELS: Final = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip
DISPLAY: Final = (
    "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
)  # fmt: skip
TIME: Final = (
    "FrameIncrementPointer", "FrameTime", "FrameTimeVector", "CineRate",
    "RecommendedDisplayFrameRate", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
PICTURE: Final = (
    "SequenceOfUltrasoundRegions", "ShutterShape", "ShutterLeftVerticalEdge",
    "ShutterRightVerticalEdge", "ShutterUpperHorizontalEdge", "ShutterLowerHorizontalEdge",
    "CenterOfCircularShutter", "RadiusOfCircularShutter", "VerticesOfThePolygonalShutter",
    "CollimatorShape", "CollimatorLeftVerticalEdge", "CollimatorRightVerticalEdge",
    "CollimatorUpperHorizontalEdge", "CollimatorLowerHorizontalEdge",
    "CenterOfCircularCollimator", "RadiusOfCircularCollimator",
    "VerticesOfThePolygonalCollimator", "UltrasoundColorDataPresent",
    "PositionerPrimaryAngle", "PositionerSecondaryAngle", "ViewCodeSequence", "ViewName",
    "SeriesDescription",
)  # fmt: skip
COLUMNS: Final = (
    "SOPClassUID", "Modality", "Manufacturer", "ManufacturerModelName", "PatientAge",
    "PatientSex", "HeartRate", "BurnedInAnnotation",
)  # fmt: skip
ORDER: Final = ("SeriesNumber", "InstanceNumber")
"""In which order the study was taken."""
PERSONS: Final = (
    "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName",
    "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "RequestingPhysician",
    "NameOfPhysiciansReadingStudy", "PhysiciansOfRecord", "ConsultingPhysicianName",
    "ScheduledPerformingPhysicianName", "ResponsiblePerson",
)  # fmt: skip
"""Names of persons."""
PLACES: Final = (
    "InstitutionName", "InstitutionalDepartmentName", "StationName", "InstitutionAddress",
    "ResponsibleOrganization",
)  # fmt: skip
DATES: Final = (
    "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "PatientBirthDate",
    "InstanceCreationDate", "PerformedProcedureStepStartDate",
)  # fmt: skip
IDENTITY: Final = (
    "SpecificCharacterSet", "PatientID", "AccessionNumber", "StudyInstanceUID",
    "SeriesInstanceUID", "SOPInstanceUID", "StudyTime", *PERSONS, *PLACES, *DATES,
)  # fmt: skip
"""For ``private/`` only."""
WANTED: Final = (*PIXELS, *DISPLAY, *TIME, *PICTURE, *COLUMNS, *ORDER, *IDENTITY)
